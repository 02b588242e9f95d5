"""Models that talk: providers over HTTP and the scripted one."""

from shared.adapters.llm.exchange import CallLimits
from shared.adapters.llm.openai_compatible import CallOptions, OpenAICompatibleModel
from shared.adapters.llm.providers import ModelSpec, ProviderEndpoint, build_model, parse_specs
from shared.adapters.llm.scripted import Fault, ScriptedModel

__all__ = [
    "CallLimits",
    "CallOptions",
    "Fault",
    "ModelSpec",
    "OpenAICompatibleModel",
    "ProviderEndpoint",
    "ScriptedModel",
    "build_model",
    "parse_specs",
]
