"""Answers to button presses: once each, and not too late."""

import time

from services.sandbox.entities import units
from services.sandbox.errors import bad_request
from services.sandbox.methods.registry import Context, method

LIFE = 60.0
TOO_OLD = "query is too old and response timeout expired or query ID is invalid"


@method("answerCallbackQuery")
def answer_callback_query(ctx: Context) -> bool:
    query_id, text, url = ctx.params.text("callback_query_id"), ctx.params.text("text"), ctx.params.text("url")
    press = ctx.bot.callbacks.get(query_id)
    if press is None or press.pressed_at < time.time() - LIFE:
        raise bad_request(TOO_OLD)
    if units(text) > 200:
        raise bad_request("MESSAGE_TOO_LONG")
    if url and not url.startswith((f"https://t.me/{ctx.bot.username}", f"t.me/{ctx.bot.username}", "tg://")):
        raise bad_request("URL_INVALID")
    del ctx.bot.callbacks[query_id]
    alert = ctx.params.flag("show_alert")
    ctx.world.events.emit(
        "callback_answer",
        bot_id=ctx.bot.id,
        chat_id=press.chat_id,
        callback_query_id=query_id,
        text=text,
        show_alert=alert,
        url=url or None,
    )
    return True
