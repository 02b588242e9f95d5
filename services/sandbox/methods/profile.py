"""How a bot presents itself: commands by scope and language, menu button, name and descriptions."""

import re
from typing import Any

from services.sandbox.chats import Card
from services.sandbox.entities import units
from services.sandbox.errors import bad_request
from services.sandbox.methods.registry import Context, method
from services.sandbox.peers import known_chat

_NAME = re.compile(r"[a-z0-9_]{1,32}")
_SCOPES = ("default", "all_private_chats", "all_group_chats", "all_chat_administrators", "chat", "chat_administrators", "chat_member")
MOST_COMMANDS = 100
LENGTHS = {"Name": 64, "Description": 512, "ShortDescription": 120}


def _scope(ctx: Context) -> tuple[str, str]:
    """(scope, language) under which commands are kept."""
    scope = ctx.params.json("scope", "BotCommandScope")
    language = ctx.params.text("language_code")
    if language and not re.fullmatch(r"[a-z]{2}", language):
        raise bad_request("invalid language code specified")
    if scope is None:
        return "default", language
    if not isinstance(scope, dict) or str(scope.get("type")) not in _SCOPES:
        raise bad_request("can't parse BotCommandScope: unsupported type specified")
    kind = scope["type"]
    if kind in {"chat", "chat_administrators", "chat_member"}:
        chat = known_chat(ctx.world, ctx.bot, type(ctx.params)(scope))
        kind = f"{kind}:{chat.id}:{scope.get('user_id', '')}"
    return kind, language


def _command(given: Any) -> Card:
    if not isinstance(given, dict):
        raise bad_request("expected an Object as BotCommand")
    name, description = str(given.get("command", "")).removeprefix("/"), str(given.get("description", "")).strip()
    if not _NAME.fullmatch(name):
        raise bad_request("BOT_COMMAND_INVALID")
    if not 1 <= len(description) <= 256:
        raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    return {"command": name, "description": description}


@method("setMyCommands")
def set_my_commands(ctx: Context) -> bool:
    commands = ctx.params.json("commands", "list of bot commands")
    if not isinstance(commands, list):
        raise bad_request("expected an Array of BotCommand")
    if len(commands) > MOST_COMMANDS:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    kept = [_command(given) for given in commands]
    ctx.bot.commands[_scope(ctx)] = kept
    ctx.world.events.emit("commands", bot_id=ctx.bot.id, commands=ctx.bot.view()["commands"])
    return True


@method("getMyCommands")
def get_my_commands(ctx: Context) -> list[Card]:
    return ctx.bot.commands.get(_scope(ctx), [])


@method("deleteMyCommands")
def delete_my_commands(ctx: Context) -> bool:
    ctx.bot.commands.pop(_scope(ctx), None)
    ctx.world.events.emit("commands", bot_id=ctx.bot.id, commands=ctx.bot.view()["commands"])
    return True


@method("setChatMenuButton")
def set_chat_menu_button(ctx: Context) -> bool:
    button = ctx.params.json("menu_button", "MenuButton") or {"type": "default"}
    if not isinstance(button, dict) or str(button.get("type")) not in {"default", "commands", "web_app"}:
        raise bad_request("can't parse menu button: MenuButton has unsupported type")
    if button["type"] == "web_app" and not _is_https(button.get("web_app")):
        raise bad_request("menu button Web App URL is invalid: Only HTTPS links are allowed")
    ctx.bot.menu_buttons[_button_chat(ctx)] = button
    return True


def _is_https(web_app: Any) -> bool:
    return isinstance(web_app, dict) and str(web_app.get("url")).startswith("https://")


@method("getChatMenuButton")
def get_chat_menu_button(ctx: Context) -> Card:
    buttons = ctx.bot.menu_buttons
    return buttons.get(_button_chat(ctx)) or buttons.get(None) or {"type": "commands" if ctx.bot.commands else "default"}


def _button_chat(ctx: Context) -> int | None:
    return known_chat(ctx.world, ctx.bot, ctx.params).id if ctx.params.text("chat_id") else None


def _add_text(what: str) -> None:
    field = re.sub(r"(?<!^)([A-Z])", r"_\1", what).lower()

    def put(ctx: Context) -> bool:
        text, language = ctx.params.text(field).strip(), ctx.params.text("language_code")
        if units(text) > LENGTHS[what]:
            raise bad_request(f"bot {field.replace('_', ' ')} is too long")
        ctx.bot.texts[what, language] = text
        if what == "Name" and text and not language:
            ctx.bot.rename(text)
            ctx.world.events.emit("bot", bot=ctx.bot)
        return True

    def get(ctx: Context) -> Card:
        language = ctx.params.text("language_code")
        fallback = ctx.bot.name if what == "Name" else ""
        return {field: ctx.bot.texts.get((what, language)) or ctx.bot.texts.get((what, "")) or fallback}

    method(f"setMy{what}")(put)
    method(f"getMy{what}")(get)


for _what in LENGTHS:
    _add_text(_what)
