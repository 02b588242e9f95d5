"""Setting, removing and looking at a bot's webhook; and the method call that its answer may carry."""

import re
import time
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import orjson

from services.sandbox.chats import Card
from services.sandbox.errors import ApiError, bad_request, too_many_requests
from services.sandbox.methods.registry import Context, Described, invoke, method
from services.sandbox.methods.updating import read_allowed
from services.sandbox.params import Params
from services.sandbox.webhooks import Webhook

_SECRET = re.compile(r"[A-Za-z0-9_-]*")


@method("setWebhook")
async def set_webhook(ctx: Context) -> Described:
    """An empty URL removes the webhook. Plain http is accepted: the sandbox and its bots share a machine."""
    url, secret = ctx.params.text("url").strip(), ctx.params.text("secret_token")
    if not url:
        return await delete_webhook(ctx)
    _check(url, secret)
    hook = ctx.bot.webhook
    if hook is not None and (hook.url, hook.secret) == (url, secret) and not ctx.params.flag("drop_pending_updates"):
        read_allowed(ctx)
        return Described(True, "Webhook is already set")
    if ctx.bot.webhook_set_at > time.monotonic() - 1:
        raise too_many_requests(1)
    ctx.bot.webhook_set_at = time.monotonic()
    await _remove(ctx)
    read_allowed(ctx)
    ctx.bot.queue.interrupt("terminated by setWebhook request")
    connections = min(max(ctx.params.integer("max_connections", 40), 1), 100)
    ctx.bot.webhook = Webhook(
        ctx.bot.queue, ctx.world.faults, url, secret, _Replies(ctx), connections, has_certificate="certificate" in ctx.params.files
    )
    ctx.bot.webhook.start()
    return Described(True, "Webhook was set")


def _check(url: str, secret: str) -> None:
    if len(secret) > 256:
        raise bad_request("secret token is too long")
    if not _SECRET.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise bad_request("bad webhook: invalid webhook URL specified") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")


@method("deleteWebhook")
async def delete_webhook(ctx: Context) -> Described:
    had = ctx.bot.webhook is not None
    await _remove(ctx)
    return Described(True, "Webhook was deleted" if had else "Webhook is already deleted")


async def _remove(ctx: Context) -> None:
    hook, ctx.bot.webhook = ctx.bot.webhook, None
    if hook is not None:
        await hook.close()
    if ctx.params.flag("drop_pending_updates"):
        ctx.bot.queue.drop()


@method("getWebhookInfo")
def get_webhook_info(ctx: Context) -> Card:
    hook, queue = ctx.bot.webhook, ctx.bot.queue
    info: Card = {
        "url": hook.url if hook else "",
        "has_custom_certificate": bool(hook and hook.has_certificate),
        "pending_update_count": queue.waiting,
    }
    if hook is not None:
        info["max_connections"] = hook.max_connections
        info["ip_address"] = "127.0.0.1"
        if hook.last_error_at is not None:
            info["last_error_date"], info["last_error_message"] = hook.last_error_at, hook.last_error
    if queue.allowed is not None:
        info["allowed_updates"] = sorted(queue.allowed)
    return info


class _Replies:
    """A webhook's answer may call any method that only does something; nobody hears the result."""

    def __init__(self, ctx: Context) -> None:
        self._world, self._bot = ctx.world, ctx.bot

    async def __call__(self, response: aiohttp.ClientResponse) -> None:
        values = await _read_reply(response)
        name = str(values.pop("method", ""))
        if not name or name.lower().startswith("get") or name.lower() in {"setwebhook", "deletewebhook", "close", "logout"}:
            return
        params, started = Params(values), time.perf_counter()
        try:
            result = await invoke(Context(self._world, self._bot, params), name.lower())
            status, body = 200, orjson.dumps({"ok": True, "result": result})
        except ApiError as error:
            status, body = error.code, orjson.dumps({"ok": False, "error_code": error.code, "description": error.description})
        row = self._world.calls.add(self._bot.id, name, values, status=status, response=body, ms=(time.perf_counter() - started) * 1000)
        self._world.events.emit("call", call=row)


async def _read_reply(response: aiohttp.ClientResponse) -> dict[str, Any]:
    kind = response.content_type
    if kind == "multipart/form-data":
        return await _read_multipart(response)
    raw = await response.read()
    if kind == "application/x-www-form-urlencoded":
        return dict(parse_qsl(raw.decode("utf-8", "replace")))
    try:
        read = orjson.loads(raw) if raw and kind == "application/json" else {}
    except orjson.JSONDecodeError:
        return {}
    return read if isinstance(read, dict) else {}


async def _read_multipart(response: aiohttp.ClientResponse) -> dict[str, Any]:
    """A client library may answer with a form that has no parts at all."""
    values: dict[str, Any] = {}
    try:
        reader = aiohttp.MultipartReader.from_response(response)
        while (part := await reader.next()) is not None:
            if isinstance(part, aiohttp.BodyPartReader) and part.name:
                values[part.name] = (await part.read(decode=True)).decode("utf-8", "replace")
    except ValueError:
        return values
    return values
