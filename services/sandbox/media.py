"""Files as messages carry them: several sizes of a photo, a voice message with its length, a document with its name."""

import mimetypes
from typing import Any

from services.sandbox.chats import Card
from services.sandbox.errors import bad_request
from services.sandbox.files import Files, Stored
from services.sandbox.params import Params, Upload
from services.sandbox.pictures import image_size, ogg_seconds

LARGEST_PHOTO = 10 * 1024 * 1024
LARGEST_UPLOAD = 50 * 1024 * 1024
SIZES = (90, 320, 800, 1280)
FOLDERS = {
    "photo": "photos", "voice": "voice", "document": "documents", "video": "videos", "audio": "music", "sticker": "stickers",
}  # fmt: skip
_MIMES = {"voice": "audio/ogg", "video": "video/mp4", "audio": "audio/mpeg", "sticker": "image/webp"}


def from_call(files: Files, kind: str, params: Params) -> Card:
    """What a bot sends: an upload, an `attach://` reference, or the file_id of something sent before."""
    upload = params.files.get(kind)
    return from_reference(files, kind, params.text(kind), params) if upload is None else sent(files, kind, upload, params.values)


def from_reference(files: Files, kind: str, reference: str, params: Params, details: Card | None = None) -> Card:
    """`details` are the fields beside the reference, those of the call if it is not part of an album."""
    if not reference:
        raise bad_request(f"there is no {kind} in the request")
    if reference.startswith("attach://"):
        upload = params.files.get(reference.removeprefix("attach://"))
        if upload is None:
            raise bad_request(f"can't find attached file {reference.removeprefix('attach://')}")
        return sent(files, kind, upload, params.values if details is None else details)
    if "://" in reference:
        raise bad_request("failed to get HTTP URL content")
    stored = files.find(reference)
    if stored is None:
        raise bad_request("wrong file identifier/HTTP URL specified")
    if stored.kind != kind:
        raise bad_request("type of file mismatch")
    return dict(stored.card)


def sent(files: Files, kind: str, upload: Upload, details: Card) -> Card:
    """A bot's upload, as strict as Telegram."""
    if not upload.data:
        raise bad_request("file must be non-empty")
    if kind == "photo":
        _check_photo(upload)
    elif len(upload.data) > LARGEST_UPLOAD:
        raise bad_request(f"file of size {len(upload.data)} bytes is too big; the maximum size is {LARGEST_UPLOAD} bytes")
    return _stored(files, kind, upload, details)


def _check_photo(upload: Upload) -> None:
    if len(upload.data) > LARGEST_PHOTO:
        raise bad_request(f"file of size {len(upload.data)} bytes is too big for a photo; the maximum size is {LARGEST_PHOTO} bytes")
    size = image_size(upload.data)
    if size is None:
        raise bad_request("IMAGE_PROCESS_FAILED")
    if sum(size) > 10_000 or max(size) > 20 * min(size):
        raise bad_request("PHOTO_INVALID_DIMENSIONS")


def received(files: Files, kind: str, upload: Upload, *, duration: int | None) -> Card:
    """What a person sends; their app has made a photo of any picture before."""
    return _stored(files, kind, upload, {"duration": duration} if duration else {})


def _stored(files: Files, kind: str, upload: Upload, details: Card) -> Card:
    card: Card = {"photo": _sizes(files, upload)} if kind == "photo" else {kind: _single(files, kind, upload, details)}
    if kind == "photo":
        for size in card["photo"]:
            files.get(size["file_id"]).card = card
    else:
        files.get(card[kind]["file_id"]).card = card
    return dict(card)


def _sizes(files: Files, upload: Upload) -> list[Card]:
    width, height = image_size(upload.data) or (1280, 720)
    longest = max(width, height)
    wanted = [size for size in SIZES if size < longest] + [min(longest, 1280)]
    return [
        _reference(files.add("photo", upload.data, "photo.jpg", upload.mime, "photos"))
        | {"width": max(1, width * size // longest), "height": max(1, height * size // longest)}
        for size in dict.fromkeys(wanted)
    ]


def _reference(stored: Stored) -> Card:
    return {"file_id": stored.file_id, "file_unique_id": stored.unique_id, "file_size": len(stored.data)}


def _single(files: Files, kind: str, upload: Upload, details: Card) -> Card:
    mime = upload.mime.partition(";")[0]
    if mime in {"", "application/octet-stream"}:
        mime = mimetypes.guess_type(upload.name)[0] or _MIMES.get(kind, "application/octet-stream")
    stored = files.add(kind, upload.data, upload.name if "." in upload.name else f"{upload.name}.bin", mime, FOLDERS[kind])
    return {**_reference(stored), **_describe(kind, upload, mime, details)}


def _describe(kind: str, upload: Upload, mime: str, details: Card) -> Card:
    if kind == "sticker":
        return {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False}
    described: Card = {"mime_type": mime}
    if kind in {"voice", "audio", "video"}:
        described["duration"] = _whole(details.get("duration")) or ogg_seconds(upload.data) or 1
    if kind == "video":
        described["width"], described["height"] = _whole(details.get("width")) or 320, _whole(details.get("height")) or 240
    if kind != "voice":
        described["file_name"] = upload.name
    if kind == "audio":
        described.update({name: str(details[name]) for name in ("performer", "title") if details.get(name)})
    return described


def _whole(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0
