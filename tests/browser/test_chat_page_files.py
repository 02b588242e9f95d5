"""Photos, files and voices on the chat page."""

import re
import struct
import zlib

import pytest
from aiohttp import ClientSession
from playwright.async_api import Locator, Page, expect
from scripted_bot import ScriptedBot

pytestmark = pytest.mark.browser


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


HEADER = struct.pack(">IIBBBBB", 320, 200, 8, 2, 0, 0, 0)
PICTURE = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", HEADER) + _chunk(b"IDAT", zlib.compress(bytes(200 * (1 + 320 * 3)))) + _chunk(b"IEND", b"")


def answers(page: Page) -> Locator:
    return page.locator(".row.theirs:not(.live) .text")


async def test_a_photo_is_attached_with_a_caption(chat: Page, bot: ScriptedBot):
    await chat.locator("input[type=file][multiple]").set_input_files({"name": "dot.png", "mimeType": "image/png", "buffer": PICTURE})
    await chat.get_by_label("Caption").fill("Look")
    await chat.get_by_role("dialog").get_by_role("button", name="Send").click()
    await expect(answers(chat).last).to_have_text("Got your photo.")
    await expect(chat.locator(".row.mine .photo img")).to_have_js_property("naturalWidth", 320)
    await expect(chat.locator(".row.mine .text").last).to_have_text("Look")


@pytest.mark.parametrize("way", ["paste", "drop"])
async def test_files_are_pasted_and_dropped(chat: Page, way: str):
    await chat.evaluate(
        """way => {
            const data = new DataTransfer();
            data.items.add(new File(['some notes'], 'notes.txt', {type: 'text/plain'}));
            const target = way === 'paste' ? document.getElementById('text') : document.getElementById('log');
            target.dispatchEvent(way === 'paste'
                ? new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true})
                : new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}));
        }""",
        way,
    )
    await chat.get_by_role("dialog").get_by_role("button", name="Send").click()
    await expect(answers(chat).last).to_have_text("Got your document.")
    await expect(chat.locator(".row.mine .attachment")).to_contain_text("notes.txt")


async def test_a_voice_message_is_recorded_as_telegram_has_it(chat: Page, bot: ScriptedBot, session: ClientSession, sandbox_url: str):
    heard = len(bot.heard)
    await chat.get_by_role("button", name="Record a voice message").click()
    await expect(chat.locator(".recording .clock")).to_have_text("0:01")
    await chat.get_by_role("button", name="Send the voice message").click()
    await expect(answers(chat).last).to_have_text("Got your voice.")
    await expect(chat.locator(".row.mine .voice-time")).to_have_text(re.compile("0:0[12]"))
    voice = (await bot.wait_for("message", after=heard))["voice"]
    assert voice["mime_type"] == "audio/ogg"
    async with session.get(f"{sandbox_url}/sim/files/{voice['file_id']}") as answered:
        sound = await answered.read()
    assert sound.startswith(b"OggS")
    assert b"OpusHead" in sound[:64]
    length = await chat.evaluate(
        """async url => {
            const bytes = await (await fetch(url)).arrayBuffer();
            return (await new OfflineAudioContext(1, 48000, 48000).decodeAudioData(bytes)).duration;
        }""",
        f"/sim/files/{voice['file_id']}",
    )
    assert 0.8 < length < 4


async def test_a_recording_can_be_thrown_away(chat: Page, bot: ScriptedBot):
    await chat.get_by_role("button", name="Record a voice message").click()
    await chat.get_by_role("button", name="Throw the recording away").click()
    await expect(chat.get_by_label("Message", exact=True)).to_be_visible()
    await expect(chat.locator(".row.mine")).to_have_count(1)
    assert not any("voice" in update.get("message", {}) for update in bot.heard)


async def test_a_photo_opens_large(chat: Page, bot: ScriptedBot):
    await chat.locator("input[type=file][multiple]").set_input_files({"name": "dot.png", "mimeType": "image/png", "buffer": PICTURE})
    await chat.get_by_role("dialog").get_by_role("button", name="Send").click()
    await chat.get_by_role("button", name="Open the photo").click()
    await expect(chat.locator(".lightbox img")).to_be_visible()
    await chat.keyboard.press("Escape")
    await expect(chat.locator(".lightbox")).to_have_count(0)
