"""Files in both directions."""

import struct
import zlib
from typing import Any

import aiohttp

from services.sandbox.files import Files
from services.sandbox.pictures import image_size, ogg_seconds
from tests.services.sandbox.emulator import ANN, BOT_ID, Sandbox


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x7f" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def ogg(seconds: int) -> bytes:
    return b"OggS\0\2" + bytes(60) + b"OggS\0\4" + (seconds * 48_000).to_bytes(8, "little") + bytes(20)


async def person_sends(sandbox: Sandbox, kind: str, data: bytes, name: str, mime: str, **more: str) -> dict[str, Any]:
    form = aiohttp.FormData({"bot_id": str(BOT_ID), "chat_id": str(ANN), "user_id": str(ANN), **more})
    form.add_field(kind, data, filename=name, content_type=mime)
    async with sandbox.session.post(f"{sandbox.url}/sim/send", data=form) as response:
        assert response.status == 200, await response.text()
    message: dict[str, Any] = (await sandbox.updates())[-1]["message"]
    return message


async def bot_sends(sandbox: Sandbox, method: str, files: dict[str, bytes], **params: str) -> dict[str, Any]:
    form = aiohttp.FormData({"chat_id": str(ANN), **params})
    for name, data in files.items():
        form.add_field(name, data, filename=f"{name}.png")
    async with sandbox.session.post(f"{sandbox.url}/bot{sandbox.token}/{method}", data=form) as response:
        answer: dict[str, Any] = await response.json()
        return answer


async def test_a_persons_photo_comes_in_several_sizes_and_can_be_fetched(sandbox: Sandbox) -> None:
    picture = png(1000, 500)
    message = await person_sends(sandbox, "photo", picture, "cat.png", "image/png", caption="my cat #cute")
    sizes = [(size["width"], size["height"]) for size in message["photo"]]
    assert sizes == [(90, 45), (320, 160), (800, 400), (1000, 500)]
    assert message["caption_entities"] == [{"type": "hashtag", "offset": 7, "length": 5}]

    file = await sandbox.call("getFile", file_id=message["photo"][-1]["file_id"])
    assert file["file_path"].startswith("photos/file_")
    async with sandbox.session.get(f"{sandbox.url}/file/bot{sandbox.token}/{file['file_path']}") as response:
        assert await response.read() == picture
    async with sandbox.session.get(f"{sandbox.url}/file/bot{BOT_ID}:WRONG/{file['file_path']}") as response:
        assert response.status == 401


async def test_a_voice_message_knows_its_length(sandbox: Sandbox) -> None:
    message = await person_sends(sandbox, "voice", ogg(7), "v.ogg", "audio/ogg; codecs=opus")
    assert (message["voice"]["duration"], message["voice"]["mime_type"]) == (7, "audio/ogg")
    message = await person_sends(sandbox, "voice", b"webm", "v.webm", "audio/webm", duration="3")
    assert message["voice"]["duration"] == 3


async def test_a_document_keeps_its_name_and_is_only_a_download_for_the_page(sandbox: Sandbox) -> None:
    message = await person_sends(sandbox, "document", b"<script>", "notes.html", "text/html")
    assert (message["document"]["file_name"], message["document"]["mime_type"]) == ("notes.html", "text/html")
    shown = (await sandbox.transcript())["messages"][-1]["document"]
    async with sandbox.session.get(sandbox.url + shown["url"]) as response:
        assert (response.headers["Content-Disposition"], response.content_type) == ("attachment", "application/octet-stream")
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_bots_photo_can_be_sent_again_by_its_id(sandbox: Sandbox) -> None:
    sent = (await bot_sends(sandbox, "sendPhoto", {"photo": png(200, 100)}, caption="<b>look</b>", parse_mode="HTML"))["result"]
    assert (sent["caption"], sent["caption_entities"]) == ("look", [{"type": "bold", "offset": 0, "length": 4}])
    again = await sandbox.call("sendPhoto", chat_id=ANN, photo=sent["photo"][0]["file_id"])
    assert again["photo"] == sent["photo"]
    refused = await sandbox.refusal("sendVoice", chat_id=ANN, voice=sent["photo"][0]["file_id"])
    assert refused.words == "Bad Request: type of file mismatch"
    shown = (await sandbox.transcript())["messages"][-1]["photo"]
    async with sandbox.session.get(sandbox.url + shown["url"]) as response:
        assert (response.status, await response.read()) == (200, png(200, 100))


async def test_what_is_no_photo_is_refused(sandbox: Sandbox) -> None:
    for data, words in ((b"text", "IMAGE_PROCESS_FAILED"), (b"", "file must be non-empty"), (png(4000, 100), "PHOTO_INVALID_DIMENSIONS")):
        answer = await bot_sends(sandbox, "sendPhoto", {"photo": data})
        assert answer["description"] == f"Bad Request: {words}"
    for photo, words in (
        ("", "there is no photo in the request"),
        ("attach://x", "can't find attached file x"),
        ("AgAC", "wrong file identifier/HTTP URL specified"),
        ("https://x.io/y.png", "failed to get HTTP URL content"),
    ):
        assert (await sandbox.refusal("sendPhoto", chat_id=ANN, photo=photo)).words == f"Bad Request: {words}"
    long_caption = await bot_sends(sandbox, "sendPhoto", {"photo": png(9, 9)}, caption="x" * 1025)
    assert long_caption["description"] == "Bad Request: message caption is too long"
    assert len((await sandbox.transcript())["messages"]) == 1


async def test_an_album_arrives_whole(sandbox: Sandbox) -> None:
    media = '[{"type":"photo","media":"attach://a","caption":"both"},{"type":"photo","media":"attach://b"}]'
    album = (await bot_sends(sandbox, "sendMediaGroup", {"a": png(9, 9), "b": png(8, 8)}, media=media))["result"]
    assert len({message["media_group_id"] for message in album}) == 1
    assert [message.get("caption") for message in album] == ["both", None]
    mixed = '[{"type":"photo","media":"attach://a"},{"type":"document","media":"attach://b"}]'
    answer = await bot_sends(sandbox, "sendMediaGroup", {"a": png(9, 9), "b": b"x"}, media=mixed)
    assert answer["description"] == "Bad Request: document can't be mixed with other media types"


async def test_every_kind_of_file_can_be_sent(sandbox: Sandbox) -> None:
    for kind, described in (
        ("voice", {"duration": 4, "mime_type": "image/png"}),
        ("document", {"file_name": "document.png"}),
        ("video", {"duration": 4, "width": 320}),
        ("audio", {"duration": 4, "title": "Song"}),
        ("sticker", {"type": "regular", "is_animated": False}),
    ):
        answer = await bot_sends(sandbox, f"send{kind}", {kind: b"bytes"}, duration="4", title="Song")
        file = answer["result"][kind]
        assert described.items() <= file.items()
        assert file["file_size"] == 5


async def test_an_unknown_file_cannot_be_fetched(sandbox: Sandbox) -> None:
    refused = await sandbox.refusal("getFile", file_id="nothing")
    assert refused.words == "Bad Request: wrong file_id or the file is temporarily unavailable"


def test_the_oldest_file_goes_when_memory_is_full() -> None:
    files = Files(capacity=10)
    kept = [files.add("document", bytes(4), f"{number}.txt", "text/plain", "documents") for number in range(3)]
    assert [files.find(stored.file_id) is not None for stored in kept] == [False, True, True]
    assert files.at(kept[0].path) is None


def test_sizes_of_pictures() -> None:
    jpeg = b"\xff\xd8\xff\xe0\x00\x04\0\0\xff\xc0\x00\x11\x08\x00\x20\x00\x10" + bytes(12)
    webp = b"RIFF\0\0\0\0WEBPVP8X" + bytes(8) + (31).to_bytes(3, "little") + (15).to_bytes(3, "little")
    gif = b"GIF89a" + struct.pack("<HH", 3, 4)
    assert [image_size(data) for data in (png(5, 6), jpeg, webp, gif, b"nothing")] == [(5, 6), (16, 32), (32, 16), (3, 4), None]
    assert ogg_seconds(b"RIFF") is None
