"""Models that talk: providers over HTTP, the scripted one, and pools of them that answer as one."""

from shared.adapters.llm.breakers import Breakers
from shared.adapters.llm.exchange import CallLimits
from shared.adapters.llm.http_model import CallOptions
from shared.adapters.llm.openai_compatible import OpenAICompatibleModel
from shared.adapters.llm.pool import ModelPool
from shared.adapters.llm.pools import ModelChoice, ModelPools
from shared.adapters.llm.prices import Prices, parse_prices
from shared.adapters.llm.providers import ModelSpec, ProviderEndpoint, build_embedder, build_model, parse_seconds, parse_specs
from shared.adapters.llm.scripted import Fault, ScriptedModel

__all__ = [
    "Breakers",
    "CallLimits",
    "CallOptions",
    "Fault",
    "ModelChoice",
    "ModelPool",
    "ModelPools",
    "ModelSpec",
    "OpenAICompatibleModel",
    "Prices",
    "ProviderEndpoint",
    "ScriptedModel",
    "build_embedder",
    "build_model",
    "parse_prices",
    "parse_seconds",
    "parse_specs",
]
