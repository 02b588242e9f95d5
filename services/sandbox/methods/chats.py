"""What a bot can learn about chats and do in them: members, leaving, topics, reactions."""

from services.sandbox import people
from services.sandbox.chats import Card, Chat, Message
from services.sandbox.errors import bad_request, forbidden
from services.sandbox.groups import add_topic, member_status
from services.sandbox.methods.registry import Context, method
from services.sandbox.peers import OUTSIDE, known_chat, writable_chat

REACTIONS = frozenset((
    "👍", "👎", "❤", "🔥", "🥰", "👏", "😁", "🤔", "🤯", "😱", "🤬", "😢", "🎉", "🤩", "🤮", "💩",
    "🙏", "👌", "🕊", "🤡", "🥱", "🥴", "😍", "🐳", "❤\u200d🔥", "🌚", "🌭", "💯", "🤣", "⚡", "🍌", "🏆",
    "💔", "🤨", "😐", "🍓", "🍾", "💋", "🖕", "😈", "😴", "😭", "🤓", "👻", "👨\u200d💻", "👀", "🎃", "🙈",
    "😇", "😨", "🤝", "✍", "🤗", "🫡", "🎅", "🎄", "☃", "💅", "🤪", "🗿", "🆒", "💘", "🙉", "🦄",
    "😘", "💊", "🙊", "😎", "👾", "🤷\u200d♂", "🤷", "🤷\u200d♀", "😡",
))  # fmt: skip
TOPIC_COLOUR = 7_322_096


def _inside(ctx: Context) -> Chat:
    chat = known_chat(ctx.world, ctx.bot, ctx.params)
    if chat.bots[ctx.bot.id] in OUTSIDE:
        raise forbidden(f"bot is not a member of the {chat.type} chat")
    return chat


@method("getChat")
def get_chat(ctx: Context) -> Card:
    chat = _inside(ctx)
    gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
    full: Card = {
        **chat.card,
        "accent_color_id": chat.id % 7,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(gifts, chat.private),
    }
    if username := chat.card.get("username"):
        full["active_usernames"] = [username]
    return full


@method("getChatMember")
def get_chat_member(ctx: Context) -> Card:
    chat, user_id = _inside(ctx), ctx.params.integer("user_id")
    return people.member_card(_card(ctx, user_id), member_status(chat, user_id))


@method("getChatAdministrators")
def get_chat_administrators(ctx: Context) -> list[Card]:
    chat = _inside(ctx)
    if chat.private:
        raise bad_request("there are no administrators in the private chat")
    leading = [user_id for user_id in [*chat.members, *chat.bots] if member_status(chat, user_id) in {"creator", "administrator"}]
    people_and_self = [user_id for user_id in leading if user_id in ctx.world.users or user_id == ctx.bot.id]
    return [people.member_card(_card(ctx, user_id), member_status(chat, user_id)) for user_id in people_and_self]


def _card(ctx: Context, user_id: int) -> Card:
    person = ctx.world.users.get(user_id) or ctx.world.bots.get(user_id)
    if person is None:
        raise bad_request("invalid user_id specified" if user_id <= 0 else "user not found")
    return person.card


@method("getChatMemberCount")
def get_chat_member_count(ctx: Context) -> int:
    chat = _inside(ctx)
    return len(chat.members) + sum(1 for status in chat.bots.values() if status not in OUTSIDE)


@method("leaveChat")
def leave_chat(ctx: Context) -> bool:
    chat = _inside(ctx)
    if chat.private:
        raise bad_request("chat member status can't be changed in private chats")
    old, chat.bots[ctx.bot.id] = chat.bots[ctx.bot.id], "left"
    people.tell_membership(ctx.bot, chat, ctx.bot.card, old, "left")
    ctx.world.events.emit("chat", chat=chat)
    return True


@method("createForumTopic")
def create_forum_topic(ctx: Context) -> Card:
    chat, name = writable_chat(ctx.world, ctx.bot, ctx.params), ctx.params.text("name").strip()
    if not chat.is_forum:
        raise bad_request("the chat is not a forum")
    if chat.bots[ctx.bot.id] != "administrator":
        raise bad_request("not enough rights to create a topic")
    if not 1 <= len(name) <= 128:
        raise bad_request("TOPIC_NAME_INVALID" if name else "topic name must be non-empty")
    topic = add_topic(ctx.world, chat, ctx.bot.card, name)
    return {"message_thread_id": topic.id, "name": name, "icon_color": TOPIC_COLOUR}


@method("setMessageReaction")
def set_message_reaction(ctx: Context) -> bool:
    """One reaction per message, out of the standard ones; an empty list takes it back."""
    chat = writable_chat(ctx.world, ctx.bot, ctx.params)
    message: Message | None = chat.messages.get(ctx.params.integer("message_id"))
    if message is None:
        raise bad_request("message to react not found")
    wanted = ctx.params.json("reaction", "reaction types") or []
    if not isinstance(wanted, list) or len(wanted) > 1:
        raise bad_request("REACTIONS_TOO_MANY")
    emojis = [str(item.get("emoji")) if isinstance(item, dict) and item.get("type") == "emoji" else None for item in wanted]
    if any(emoji not in REACTIONS for emoji in emojis):
        raise bad_request("REACTION_INVALID")
    message.reactions.pop(ctx.bot.id, None)
    message.reactions.update((ctx.bot.id, str(emoji)) for emoji in emojis)
    people.show_reactions(ctx.world, message)
    return True
