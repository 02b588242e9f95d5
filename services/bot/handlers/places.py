"""The bot is let into a chat, or thrown out of it."""

from aiogram import Bot, F, Router
from aiogram.filters import IS_MEMBER, IS_NOT_MEMBER, ChatMemberUpdatedFilter
from aiogram.types import ChatMemberUpdated

from services.bot.delivery import Delivery
from services.bot.filters import Holds
from services.bot.sentences import say
from shared.application.accounts import AccountService
from shared.domain.user import spoken_language


async def on_blocked(event: ChatMemberUpdated, accounts: AccountService) -> None:
    await accounts.mark_blocked(event.from_user.id, blocked=True)


async def on_let_in(event: ChatMemberUpdated, accounts: AccountService) -> None:
    await accounts.mark_blocked(event.from_user.id, blocked=False)


async def on_group_joined(event: ChatMemberUpdated, bot: Bot, delivery: Delivery) -> None:
    me = await bot.me()
    language = spoken_language(event.from_user.language_code)
    delivery.say(say("group-hello", language, name=me.full_name, username=me.username or ""), {"chat_id": event.chat.id})


def create_router() -> Router:
    router = Router(name="places")
    private, group = Holds(F.chat.type == "private"), Holds(F.chat.type.in_({"group", "supergroup"}))
    router.my_chat_member.register(on_blocked, private, ChatMemberUpdatedFilter(IS_MEMBER >> IS_NOT_MEMBER))
    router.my_chat_member.register(on_let_in, private, ChatMemberUpdatedFilter(IS_NOT_MEMBER >> IS_MEMBER))
    router.my_chat_member.register(on_group_joined, group, ChatMemberUpdatedFilter(IS_NOT_MEMBER >> IS_MEMBER))
    return router
