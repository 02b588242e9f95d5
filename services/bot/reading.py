"""Bytes as Telegram sent them -> an update of aiogram's."""

import json

from aiogram import Bot
from aiogram.types import Update
from aiogram.types.update import UpdateTypeLookupError
from pydantic import ValidationError

from shared.domain.dialog import storable


class UnreadableUpdateError(Exception):
    """JSON that is no update we know; says where, without what stood there."""


def understood(body: bytes, bot: Bot) -> Update:
    """Raises `UnreadableUpdateError`, `ValueError` for what is no JSON."""
    try:
        update = Update.model_validate(json.loads(body), context={"bot": bot})
        _ = update.event_type
    except ValidationError as error:
        wrongs = error.errors(include_input=False, include_url=False, include_context=False)
        where = "; ".join(f"{'.'.join(map(str, w['loc'][:6]))}: {w['type']}" for w in wrongs[:3])
        raise UnreadableUpdateError(storable(where)) from None
    except UpdateTypeLookupError:
        # aiogram would warn, and quote the whole update while it does so.
        raise UnreadableUpdateError("a kind of update that is not known") from None
    return update
