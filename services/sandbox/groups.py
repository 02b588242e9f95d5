"""Groups: how they come to be, who is in them, their topics."""

from services.sandbox import people
from services.sandbox.chats import Card, Chat, Topic, User
from services.sandbox.errors import SimError
from services.sandbox.world import World

STATUSES = frozenset({"member", "administrator", "left", "kicked"})
TOPIC_COLOUR = 7_322_096


def member_status(chat: Chat, user_id: int) -> str:
    """The first member made the group."""
    if user_id in chat.bots:
        return chat.bots[user_id]
    if user_id not in chat.members:
        return "left"
    return "creator" if not chat.private and next(iter(chat.members)) == user_id else "member"


def add_group(world: World, kind: str, title: str, members: list[int], bots: list[int], *, is_forum: bool) -> Chat:
    if kind not in {"group", "supergroup"}:
        raise SimError("type is group or supergroup")
    if is_forum and kind != "supergroup":
        raise SimError("only a supergroup can be a forum")
    if not members:
        raise SimError("members is empty: a group is made by one of its members")
    people_in, bots_in = [world.get_user(user_id) for user_id in members], [world.get_bot(bot_id) for bot_id in bots]
    chat = world.add_group(kind, title, is_forum=is_forum)
    chat.members.update((user.id, None) for user in people_in)
    for bot in bots_in:
        chat.bots[bot.id] = "member"
        people.tell_membership(bot, chat, people_in[0].card, "left", "member")
    world.events.emit("chat", chat=chat)
    service(world, chat, people_in[0].card, {f"{kind}_chat_created": True}, f"{people_in[0].first_name} created the group")
    return chat


def service(world: World, chat: Chat, author: Card, content: Card, sentence: str) -> None:
    message = world.add_message(chat, None, author, content, service=sentence)
    world.tell("message", chat, message)
    people.announce(world, "message", message, None)


def add_topic(world: World, chat: Chat, author: Card, name: str) -> Topic:
    """A topic has the number of the message that opens it."""
    if not chat.is_forum:
        raise SimError("this chat has no topics: make it with is_forum")
    content: Card = {"is_topic_message": True, "forum_topic_created": {"name": name, "icon_color": TOPIC_COLOUR}}
    opening = world.add_message(chat, None, author, content, service=f"{author['first_name']} created the topic {name}")
    opening.body["message_thread_id"] = opening.id
    topic = chat.topics[opening.id] = Topic(opening.id, name, opening)
    world.tell("message", chat, opening)
    world.events.emit("chat", chat=chat)
    people.announce(world, "message", opening, None)
    return topic


def set_bot_status(world: World, chat: Chat, bot_id: int, status: str, by: User) -> None:
    """Somebody adds a bot, makes it an administrator or shows it the door."""
    if status not in STATUSES:
        raise SimError(f"status is one of {', '.join(sorted(STATUSES))}")
    bot, old = world.get_bot(bot_id), chat.bots.get(bot_id, "left")
    if old == status:
        return
    chat.bots[bot_id] = status
    people.tell_membership(bot, chat, by.card, old, status)
    world.events.emit("chat", chat=chat)
    if old in {"left", "kicked"}:
        service(world, chat, by.card, {"new_chat_members": [bot.card]}, f"{by.first_name} added {bot.name}")


def set_user_status(world: World, chat: Chat, user: User, status: str) -> None:
    if status == "member" and user.id not in chat.members:
        chat.members[user.id] = None
        world.events.emit("chat", chat=chat)
        service(world, chat, user.card, {"new_chat_members": [user.card]}, f"{user.first_name} joined the group")
    elif status in {"left", "kicked"} and user.id in chat.members:
        if len(chat.members) == 1:
            raise SimError("the last member stays")
        service(world, chat, user.card, {"left_chat_member": user.card}, f"{user.first_name} left the group")
        del chat.members[user.id]
        world.events.emit("chat", chat=chat)
