"""The sandbox's chat page, used as a person uses it: START, words, buttons, files, Stop."""

import re

import pytest
from aiohttp import ClientSession
from playwright.async_api import Locator, Page, expect
from scripted_bot import ScriptedBot

pytestmark = pytest.mark.browser


async def say(page: Page, text: str) -> None:
    field = page.get_by_label("Message", exact=True)
    await field.fill(text)
    await field.press("Enter")


def answers(page: Page) -> Locator:
    return page.locator(".row.theirs:not(.live) .text")


def own(page: Page) -> Locator:
    return page.locator(".row.mine .text")


async def test_a_newcomer_waits_for_a_bot_and_is_then_told_what_to_do(browser_page: Page, sandbox_url: str, session: ClientSession):
    await browser_page.goto(sandbox_url)
    await expect(browser_page.get_by_text("Waiting for a bot to connect…")).to_be_visible()
    async with session.get(f"{sandbox_url}/sim/state") as answered:
        assert [user["first_name"] for user in (await answered.json())["users"]] == ["Alex"]
    bot = ScriptedBot(session, sandbox_url, "777:TEST")
    await bot.call("getMe")
    await bot.call("setMyName", name="Mira")
    await expect(browser_page.get_by_role("heading", name="Mira").first).to_be_visible()
    await expect(browser_page.get_by_text("Press START to begin")).to_be_visible()
    await expect(browser_page.get_by_role("button", name="START", exact=True)).to_be_visible()


async def test_start_begins_the_conversation(chat: Page, bot: ScriptedBot):
    assert (await bot.wait_for("message"))["text"] == "/start"
    await expect(own(chat)).to_have_text(["/start"])
    await expect(answers(chat).locator("strong")).to_have_text("Mira")
    await expect(answers(chat).locator("em")).to_have_text("What's on your mind tonight?")
    await expect(chat.get_by_role("button", name="START", exact=True)).to_have_count(0)
    await expect(chat.locator(".day")).to_have_text("Today")


async def test_an_answer_runs_in_and_becomes_one_message(chat: Page, bot: ScriptedBot):
    bot.beat = 0.3
    await say(chat, "Hello there")
    await expect(chat.locator(".draft.thinking .dots")).to_be_visible()
    await expect(chat.locator("#subtitle")).to_contain_text("typing")
    await expect(chat.locator(".draft .text")).to_contain_text("It is a quiet")
    await expect(answers(chat).last).to_have_text("It is a quiet evening by the river, and you are here.")
    await expect(chat.locator(".draft")).to_have_count(0)
    await expect(chat.locator("#subtitle")).to_have_text("bot")
    await expect(answers(chat)).to_have_count(2)


async def test_stop_keeps_what_was_said(chat: Page, bot: ScriptedBot):
    bot.frames, bot.beat = [f"{'word ' * n}" for n in range(1, 60)], 0.2
    await say(chat, "Go on for ever")
    await expect(chat.locator(".draft .text")).to_contain_text("word word")
    await chat.get_by_role("button", name="Stop the answer").click()
    await expect(chat.locator(".draft")).to_have_count(0)
    await expect(answers(chat).last).to_have_text(re.compile("^(word ?){2,12}$"))


async def test_buttons_answer_with_a_toast_an_alert_and_an_edit(chat: Page):
    await chat.get_by_role("button", name="A toast").click()
    await expect(chat.locator(".toast")).to_have_text("Just a toast")
    await expect(chat.locator(".inline-keyboard .pressed")).to_have_count(0)
    await chat.get_by_role("button", name="An alert").click()
    await expect(chat.get_by_role("dialog")).to_contain_text("Look here!")
    await chat.get_by_role("dialog").get_by_role("button", name="OK").click()
    await chat.get_by_role("button", name="Edit this").click()
    await expect(answers(chat)).to_have_text(["Edited as you wished."])
    await expect(chat.locator(".row.theirs .stamp")).to_contain_text("edited")


async def test_a_message_that_the_bot_deletes_is_gone(chat: Page, bot: ScriptedBot):
    alex = bot.heard[0]["message"]["chat"]["id"]
    sent = await bot.call("sendMessage", chat_id=alex, text="not for long")
    await expect(answers(chat).last).to_have_text("not for long")
    await bot.call("deleteMessage", chat_id=alex, message_id=sent["message_id"])
    await expect(chat.get_by_text("not for long", exact=True)).to_have_count(0)


async def test_a_forced_reply_opens_by_itself(chat: Page, bot: ScriptedBot):
    heard, alex = len(bot.heard), bot.heard[0]["message"]["chat"]["id"]
    await bot.call("sendMessage", chat_id=alex, text="Name?", reply_markup={"force_reply": True, "input_field_placeholder": "Your name"})
    await expect(chat.locator(".context")).to_contain_text("Reply to Mira")
    await expect(chat.get_by_placeholder("Your name")).to_be_focused()
    await say(chat, "Alex")
    assert (await bot.wait_for("message", after=heard))["reply_to_message"]["text"] == "Name?"


async def test_a_deep_link_starts_the_bot_with_its_payload(chat: Page, bot: ScriptedBot):
    heard, alex = len(bot.heard), bot.heard[0]["message"]["chat"]["id"]
    keyboard = {"inline_keyboard": [[{"text": "Meet Mira", "url": "https://t.me/sandbox_123456_bot?start=from_card"}]]}
    await bot.call("sendMessage", chat_id=alex, text="A card", reply_markup=keyboard)
    await chat.get_by_role("button", name="Meet Mira").click()
    assert (await bot.wait_for("message", after=heard))["text"] == "/start from_card"


async def test_menus_work_without_a_mouse(chat: Page):
    await chat.get_by_role("button", name="Chat menu").focus()
    await chat.keyboard.press("Enter")
    await expect(chat.get_by_role("menuitem").first).to_be_focused()
    await chat.keyboard.press("ArrowDown")
    await expect(chat.get_by_role("menuitem").nth(1)).to_be_focused()
    await chat.keyboard.press("Escape")
    await expect(chat.get_by_role("menu")).to_have_count(0)
    await expect(chat.get_by_role("button", name="Chat menu")).to_be_focused()


async def test_entities_look_like_what_they_are(chat: Page, bot: ScriptedBot):
    await say(chat, "show")
    message = answers(chat).nth(1)
    for tag, text in {"strong": "bold", "em": "italic", "u": "under", "s": "gone", "blockquote": "Quoted words"}.items():
        await expect(message.locator(tag)).to_have_text(text)
    await expect(message.locator("pre")).to_have_text("def f(x):\n    return x + 1")
    await expect(message.locator(".fence-head")).to_contain_text("python")
    link = message.locator("a", has_text="a link")
    assert (await link.get_attribute("href"), await link.get_attribute("rel")) == ("https://example.org/", "noopener noreferrer")
    await message.locator(".spoiler").click()
    await expect(message.locator(".spoiler")).to_have_class(re.compile("shown"))
    await message.get_by_role("button", name="/help").click()
    await expect(own(chat).last).to_have_text("/help")


async def test_markup_in_a_message_is_only_text(chat: Page, sandbox_url: str, session: ClientSession):
    attack = '<img src=x onerror="document.title=1"><script>document.title=1</script>'
    await say(chat, attack)
    await expect(own(chat).last).to_have_text(attack)
    assert await chat.locator("#rows img").count() == 0
    async with session.get(sandbox_url) as answered:
        assert "script-src 'self'" in answered.headers["Content-Security-Policy"]
        assert "unsafe" not in answered.headers["Content-Security-Policy"]


async def test_an_emoji_alone_is_large_and_stands_free(chat: Page, bot: ScriptedBot):
    await say(chat, "🔥")
    bubble = chat.locator(".row.mine .bubble").last
    await expect(bubble.locator(".text")).to_have_css("font-size", "54px")
    await expect(bubble).to_have_css("background-image", "none")
    await expect(chat.locator(".row.mine").last).to_have_css("background-image", "none")


async def test_commands_are_offered_and_narrowed(chat: Page):
    field = chat.get_by_label("Message", exact=True)
    await chat.get_by_role("button", name="Commands").click()
    await expect(chat.get_by_role("option")).to_have_count(4)
    await field.press("Escape")
    await field.fill("/st")
    await expect(chat.get_by_role("option")).to_have_text([re.compile("/start"), re.compile("/status")])
    await field.press("ArrowDown")
    await field.press("Enter")
    await expect(own(chat).last).to_have_text("/status")
    await expect(field).to_have_value("")


async def test_a_reply_keyboard_comes_and_goes(chat: Page):
    await say(chat, "keyboard")
    await chat.locator(".reply-keyboard").get_by_role("button", name="Tell me more").click()
    await expect(own(chat).last).to_have_text("Tell me more")
    await say(chat, "remove keyboard")
    await expect(chat.locator(".reply-keyboard")).to_be_hidden()


async def test_enter_sends_and_shift_enter_breaks_the_line(chat: Page, bot: ScriptedBot):
    heard = len(bot.heard)
    field = chat.get_by_label("Message", exact=True)
    await field.press_sequentially("one")
    await field.press("Shift+Enter")
    await field.press_sequentially("two")
    await field.press("Enter")
    assert (await bot.wait_for("message", after=heard))["text"] == "one\ntwo"


async def test_up_edits_the_last_own_message(chat: Page, bot: ScriptedBot):
    await say(chat, "tpyo")
    await expect(answers(chat)).to_have_count(2)
    field = chat.get_by_label("Message", exact=True)
    await field.press("ArrowUp")
    await expect(field).to_have_value("tpyo")
    await field.fill("typo")
    await field.press("Enter")
    assert (await bot.wait_for("edited_message"))["text"] == "typo"
    await expect(own(chat).last).to_have_text("typo")
    await field.press("ArrowUp")
    await field.press("Escape")
    await expect(field).to_have_value("")


async def test_reply_and_reaction_through_the_menu(chat: Page, bot: ScriptedBot):
    heard = len(bot.heard)
    await answers(chat).first.click(button="right", position={"x": 5, "y": 5})
    await chat.get_by_role("menuitem", name="Reply").click()
    await say(chat, "I answer this")
    assert (await bot.wait_for("message", after=heard))["reply_to_message"]["text"].startswith("Hello! I'm Mira")
    await expect(chat.locator(".row.mine .quote")).to_contain_text("Hello! I'm Mira")
    await answers(chat).first.click(button="right", position={"x": 5, "y": 5})
    await chat.get_by_role("button", name="React with 🔥").click()
    assert (await bot.wait_for("message_reaction"))["new_reaction"] == [{"type": "emoji", "emoji": "🔥"}]
    await chat.get_by_role("button", name="🔥").click()
    await expect(chat.locator(".reaction")).to_have_count(0)


async def test_blocking_and_unblocking(chat: Page, bot: ScriptedBot):
    await chat.get_by_role("button", name="Chat menu").click()
    await chat.get_by_role("menuitem", name="Block the bot").click()
    assert (await bot.wait_for("my_chat_member"))["new_chat_member"]["status"] == "kicked"
    await expect(chat.locator("#subtitle")).to_have_text("blocked")
    await chat.reload()
    await chat.get_by_role("button", name="Unblock").click()
    await say(chat, "back again")
    await expect(own(chat).last).to_have_text("back again")


async def test_a_second_user_has_conversations_of_their_own(chat: Page, bot: ScriptedBot):
    heard = len(bot.heard)
    await chat.get_by_role("button", name="New user, group or topic").click()
    await chat.get_by_role("menuitem", name="New user").click()
    await chat.get_by_label("First name").fill("Mila")
    await chat.get_by_label("Language").select_option("ru")
    await chat.get_by_role("button", name="Add", exact=True).click()
    await chat.get_by_role("button", name="START", exact=True).click()
    sender = (await bot.wait_for("message", after=heard))["from"]
    assert (sender["first_name"], sender["language_code"]) == ("Mila", "ru")
    await expect(own(chat)).to_have_count(1)
    await chat.get_by_role("button", name="Switch user").click()
    await chat.get_by_role("menuitemradio", name="Alex").click()
    await expect(chat.locator("#account")).to_contain_text("Alex")


async def test_a_group_with_topics(chat: Page, bot: ScriptedBot):
    await chat.get_by_role("button", name="New user, group or topic").click()
    await chat.get_by_role("menuitem", name="New group").click()
    await chat.get_by_label("Title").fill("Book club")
    await chat.get_by_label("With topics").check()
    await chat.get_by_role("button", name="Create", exact=True).click()
    await expect(chat.locator("#title")).to_have_text("Book club")
    await chat.get_by_role("button", name="New topic").click()
    await chat.get_by_label("Name", exact=True).fill("Poems")
    await chat.get_by_role("button", name="Create", exact=True).click()
    await expect(chat.locator(".topic.open")).to_have_text("Poems")
    await say(chat, "Hello @sandbox_123456_bot")
    await expect(answers(chat).last).to_have_text("Hello, Alex!")
    await expect(chat.locator(".author").last).to_have_text("Mira")
    await chat.get_by_role("button", name="General").click()
    await expect(chat.get_by_text("Hello, Alex!", exact=True)).to_have_count(0)


async def test_reading_back_is_not_disturbed(chat: Page, bot: ScriptedBot):
    for number in range(14):
        await bot.call("sendMessage", chat_id=(bot.heard[0]["message"]["chat"]["id"]), text=f"line {number}\n" * 4)
    await expect(answers(chat)).to_have_count(15)
    await chat.locator("#log").evaluate("log => log.scrollTo(0, 0)")
    await expect(chat.locator("#pill")).to_be_visible()
    await bot.call("sendMessage", chat_id=bot.heard[0]["message"]["chat"]["id"], text="the newest")
    await expect(chat.locator("#pill")).to_contain_text("1 new message")
    assert await chat.locator("#log").evaluate("log => log.scrollTop") < 50
    await chat.locator("#pill").click()
    await expect(chat.get_by_text("the newest").last).to_be_in_viewport()
    await expect(chat.locator("#pill")).to_be_hidden()


async def test_a_message_elsewhere_is_counted_and_shown_in_the_list(chat: Page, bot: ScriptedBot, session: ClientSession, sandbox_url: str):
    other = ScriptedBot(session, sandbox_url, "888:TEST")
    await other.call("setMyName", name="Honzík")
    alex = bot.heard[0]["message"]["from"]["id"]
    async with session.post(f"{sandbox_url}/sim/send", json={"bot_id": 888, "chat_id": alex, "user_id": alex, "text": "/start"}) as sent:
        assert sent.status == 200
    await other.call("sendMessage", chat_id=alex, text="Ahoj!")
    row = chat.locator(".chat", has_text="Honzík")
    await expect(row.locator(".badge")).to_have_text("1")
    await expect(row.locator(".preview")).to_have_text("Ahoj!")
    await row.click()
    await expect(answers(chat)).to_have_text(["Ahoj!"])
    await expect(row.locator(".badge")).to_have_count(0)
