"""How updates reach a bot, and who the bot is."""

import time

from services.sandbox.chats import Card
from services.sandbox.errors import conflict, too_many_requests
from services.sandbox.methods.registry import Context, Encoded, method
from services.sandbox.updates import OTHER_POLL

LONGEST_POLL = 50
WEBHOOK_SET = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"


@method("getMe")
def get_me(ctx: Context) -> Card:
    return {
        **ctx.bot.card,
        "can_join_groups": True,
        "can_read_all_group_messages": ctx.bot.reads_all,
        "supports_inline_queries": False,
        "supports_guest_queries": False,
        "supports_join_request_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
        "has_topics_enabled": False,
        "allows_users_to_create_topics": False,
        "can_manage_bots": False,
    }


def read_allowed(ctx: Context) -> None:
    """The list is kept when it is not given; an empty one means the default."""
    if "allowed_updates" in ctx.params.values:
        given = ctx.params.json("allowed_updates", "allowed_updates")
        ctx.bot.queue.allowed = frozenset(map(str, given)) if isinstance(given, list) and given else None


@method("getUpdates")
async def get_updates(ctx: Context) -> Encoded:
    queue, params = ctx.bot.queue, ctx.params
    if ctx.bot.webhook is not None:
        raise conflict(WEBHOOK_SET)
    queue.interrupt(OTHER_POLL)
    read_allowed(ctx)
    offset = params.integer("offset")
    limit = queue.throttled(offset, min(max(params.integer("limit", 100), 1), 100))
    queue.expire()
    queue.seek(offset)
    if not queue.pending and not queue.again:
        await queue.wait(min(max(params.integer("timeout"), 0), LONGEST_POLL))
        queue.seek(offset)
    found = ctx.world.faults.fetch(queue, limit)
    queue.finished()
    return Encoded(b"[" + b",".join([raw for _, raw in found]) + b"]")


@method("logOut", "close")
def log_out(ctx: Context) -> bool:
    """A bot may do so once in ten minutes."""
    now = time.monotonic()
    if ctx.bot.logged_out_until > now:
        raise too_many_requests(int(ctx.bot.logged_out_until - now) + 1)
    ctx.bot.logged_out_until = now + 600
    return True
