"""The scripted character: a stand-in for a language model that answers by rules, in role, in English, Russian and Czech."""

from services.sandbox.model.character.speaker import answer

__all__ = ["answer"]
