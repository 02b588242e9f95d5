"""All models of a process: the pools of `LLM_STRONG` and `LLM_SIMPLE`, and any single model with its pool behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from shared.adapters.llm.breakers import Breakers
from shared.adapters.llm.exchange import CallLimits
from shared.adapters.llm.http_model import CallOptions
from shared.adapters.llm.member import Member
from shared.adapters.llm.metrics import PLACE
from shared.adapters.llm.pool import ModelPool
from shared.adapters.llm.prices import Prices
from shared.adapters.llm.providers import ModelSpec, ProviderEndpoint, build_model, parse_specs

Tier = Literal["strong", "simple"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """What the operator has set. `first_token_timeouts` is in seconds, by `provider:model`."""

    strong: str
    simple: str = ""
    providers: Mapping[str, ProviderEndpoint] = field(default_factory=dict)
    limits: CallLimits = field(default_factory=CallLimits)
    first_token_timeouts: Mapping[str, float] = field(default_factory=dict)
    max_tokens: int | None = None
    hedging: bool = False


class ModelPools:
    """`Models`. A model that is in both lists is one model here, with one connection pool and one breaker.

    Raises `InvalidInputError` at construction, naming the setting that cannot work.
    """

    def __init__(self, choice: ModelChoice, breakers: Breakers, prices: Prices) -> None:
        self._choice, self._breakers, self._prices = choice, breakers, prices
        self._members: dict[str, Member] = {}
        strong = self._listed(choice.strong, "LLM_STRONG")
        simple = self._listed(choice.simple, "LLM_SIMPLE") if choice.simple.strip() else strong
        self._pools: dict[str, ModelPool] = {"strong": self._pool(strong), "simple": self._pool(simple)}
        self._found: dict[str, ModelPool] = {}
        for tier, pool in self._pools.items():
            for place, member in enumerate(pool.members, start=1):
                PLACE.labels(tier, member.name).set(place)

    def pool(self, tier: Tier) -> ModelPool:
        """The simple one is the strong one where `LLM_SIMPLE` is empty."""
        return self._pools[tier]

    def find(self, name: str) -> ModelPool | None:
        """A configured model as the first in line, the rest of its list behind it."""
        member = self._members.get(name)
        if member is None:
            return None
        if name not in self._found:
            home = self._pools[self._tier_of(member)]
            self._found[name] = self._pool([member, *(other for other in home.members if other is not member)])
        return self._found[name]

    def tier_of(self, name: str) -> Tier | None:
        """Strong if it is in both lists, `None` when it is not configured."""
        member = self._members.get(name)
        return self._tier_of(member) if member else None

    def names(self) -> Sequence[str]:
        """Each `provider:model` once, the strong ones first."""
        return tuple(self._members)

    def estimate_micros(self, tier_or_model: str, prompt_tokens: int, completion_tokens: int) -> int | None:
        """What a reply may cost at most, whoever of the pool gives it; `None` when no price is known."""
        pool = self._pools.get(tier_or_model) or self.find(tier_or_model)
        prices = [self._prices.find(member.name) for member in pool.members] if pool else []
        return max((price.micros(prompt_tokens, completion_tokens) for price in prices if price), default=None)

    async def check(self) -> None:
        """One model of all that can be reached is enough."""
        await self._pool(list(self._members.values())).check()

    async def aclose(self) -> None:
        for member in self._members.values():
            await member.model.aclose()

    def _tier_of(self, member: Member) -> Tier:
        return "strong" if member in self._pools["strong"].members else "simple"

    def _listed(self, specs: str, setting: str) -> list[Member]:
        return [self._member(spec, setting) for spec in parse_specs(specs, setting=setting)]

    def _member(self, spec: ModelSpec, setting: str) -> Member:
        name = str(spec)
        if name not in self._members:
            choice = self._choice
            seconds = choice.first_token_timeouts.get(name, choice.limits.first_token_timeout)
            limits = replace(choice.limits, first_token_timeout=seconds, total_timeout=max(seconds, choice.limits.total_timeout))
            options = CallOptions(max_tokens=choice.max_tokens)
            model = build_model(spec, choice.providers, setting=setting, options=options, limits=limits)
            breaker = self._breakers.of(name, setting=f"{spec.provider.upper()}_API_KEY")
            self._members[name] = Member(model=model, breaker=breaker, limits=limits, beside=self._breakers.start)
        return self._members[name]

    def _pool(self, members: Sequence[Member]) -> ModelPool:
        return ModelPool(
            members, self._breakers, self._prices, hedging=self._choice.hedging, max_reply_chars=self._choice.limits.max_reply_chars
        )
