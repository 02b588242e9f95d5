"""Accounts: who speaks, in which language, and what they may still use today."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from prometheus_client import Counter

from shared.application.caches import Caches, place_key, subscription_key, user_key
from shared.application.ports import Clock
from shared.application.switches import SwitchService
from shared.database.database import Database, Transaction
from shared.domain.allowance import allowance_day, remaining, resets_at
from shared.domain.budget import percent_of
from shared.domain.character import in_language
from shared.domain.dialog import DialogNotFoundError
from shared.domain.errors import InvalidInputError, NotAllowedError
from shared.domain.speaker import Person, Place, Speaker
from shared.domain.user import LANGUAGES, LEVELS

REGISTRATIONS = Counter("vitte_registrations_total", "Users who wrote for the first time")


class RegistrationClosedError(NotAllowedError):
    code = "registration_closed"


class ModelChoiceNotAllowedError(NotAllowedError):
    code = "model_choice_not_allowed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowanceState:
    """None in `limit` and `left` means without limit, none in `spent_percent` that the plan has no budget of money."""

    used: int
    limit: int | None
    left: int | None
    resets_at: datetime
    spent_percent: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountService:
    database: Database
    switches: SwitchService
    caches: Caches
    clock: Clock

    async def recognise(self, person: Person, place: Place, *, start_payload: str | None = None) -> Speaker:
        """The speaker of an update. Somebody unknown becomes a user with the free plan, a place without dialog gets the default character.

        The payload of a deep link is kept at the first `/start`. Raises `RegistrationClosedError` for somebody unknown while the
        operator has closed registration.
        """
        speaker = await self.caches.find_speaker(person.telegram_user_id, place)
        if speaker is not None and not speaker.is_blocked and not start_payload:
            return speaker
        return await self._register(person, place, start_payload)

    async def _register(self, person: Person, place: Place, start_payload: str | None) -> Speaker:
        open_to_all = (await self.switches.read()).registration_open
        user, subscription = user_key(person.telegram_user_id), subscription_key(person.telegram_user_id)
        async with self.caches.changing(user, subscription, place_key(place)), self.database.transaction() as tx:
            if not open_to_all and not await tx.users.is_registered(person.telegram_user_id):
                raise RegistrationClosedError("registration is closed and this person is not registered")
            registration = await tx.users.register(person, start_payload)
            await tx.users.open_default_dialog(registration.user_id, place)
            speaker = await tx.users.find_speaker(person.telegram_user_id, place)
            if speaker is None:
                raise DialogNotFoundError("there is no default character: run the migrations, which seed it")
            await _greet(tx, speaker)
        REGISTRATIONS.inc(registration.is_new)
        return speaker

    async def choose_language(self, user_id: UUID, language: str) -> None:
        """The user picks the language of menus and notices. Raises `InvalidInputError` for one we do not speak."""
        if language not in LANGUAGES:
            raise InvalidInputError(f"no such language: {language!r}")
        async with self.database.statement() as tx:
            chosen_by = await tx.users.choose_language(user_id, language)
        await self._forget_user(chosen_by)

    async def choose_level(self, user_id: UUID, level: str | None) -> None:
        """How well the user speaks what a tutor teaches; none to leave it open again. Raises `InvalidInputError` for no such level."""
        if level is not None and level not in LEVELS:
            raise InvalidInputError(f"no such level: {level!r}")
        async with self.database.statement() as tx:
            chosen_by = await tx.users.choose_level(user_id, level)
        await self._forget_user(chosen_by)

    async def choose_model(self, speaker: Speaker, model: str | None, *, known: Collection[str]) -> None:
        """The model that shall answer the speaker first, one of the `known`; none leaves the choice to us, and is open to everybody.

        Raises `ModelChoiceNotAllowedError` when their plan has no choice, `InvalidInputError` for a model we do not have.
        """
        if model is not None and not speaker.may_choose_model:
            raise ModelChoiceNotAllowedError("the plan does not include choosing a model")
        if model is not None and model not in known:
            raise InvalidInputError("no such model")
        async with self.database.statement() as tx:
            chosen_by = await tx.users.choose_model(speaker.user_id, model)
        await self._forget_user(chosen_by)

    async def allowance(self, speaker: Speaker) -> AllowanceState:
        """What the speaker has used today and what is left."""
        now = self.clock.now()
        async with self.database.statement() as tx:
            used, micros = await tx.users.used_today(speaker.user_id, allowance_day(now))
        return AllowanceState(
            used=used,
            limit=speaker.daily_turns,
            left=remaining(used, speaker.daily_turns),
            resets_at=resets_at(now),
            spent_percent=None if speaker.daily_micros is None else percent_of(micros, speaker.daily_micros),
        )

    async def mark_blocked(self, telegram_user_id: int, *, blocked: bool) -> None:
        """The user stopped the bot, or let it in again."""
        async with self.database.statement() as tx:
            await tx.users.mark_blocked(telegram_user_id, self.clock.now() if blocked else None)
        await self._forget_user(telegram_user_id)

    async def _forget_user(self, telegram_user_id: int | None) -> None:
        if telegram_user_id is not None:
            await self.caches.cache.forget(user_key(telegram_user_id))


async def _greet(tx: Transaction, speaker: Speaker) -> None:
    character = await tx.characters.get(speaker.character_id)
    await tx.dialogs.greet(speaker.dialog_id, in_language(character.greeting, speaker.language))
