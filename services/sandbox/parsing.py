"""The text of a call with its entities, whichever way they were given."""

from services.sandbox.entities import Entity, checked, finished, units
from services.sandbox.errors import bad_request
from services.sandbox.html import parse_html
from services.sandbox.markdown import parse_markdown
from services.sandbox.markdown_v2 import parse_markdown_v2
from services.sandbox.params import Params

LONGEST_TEXT = 4096
LONGEST_CAPTION = 1024

_MODES = {"html": parse_html, "markdownv2": parse_markdown_v2, "markdown": parse_markdown}


def parsed(text: str, mode: str) -> tuple[str, list[Entity]]:
    if not mode or mode.lower() == "none":
        return text, []
    parser = _MODES.get(mode.lower())
    if parser is None:
        raise bad_request("unsupported parse_mode")
    return parser(text)


def read_text(params: Params, *, name: str = "text", entities: str = "entities") -> tuple[str, list[Entity]]:
    """Parse mode first, entities only without one, as Telegram does."""
    text = params.text(name)
    mode = params.text("parse_mode")
    if mode:
        text, given = parsed(text, mode)
    else:
        raw = params.json(entities, "entities")
        given = checked(text, raw) if raw else []
    return finished(text, given)


def read_message_text(params: Params) -> tuple[str, list[Entity]]:
    text, entities = read_text(params)
    if not text:
        raise bad_request("message text is empty")
    if len(text) * 2 > LONGEST_TEXT and units(text) > LONGEST_TEXT:
        raise bad_request("message is too long")
    return text, entities


def read_caption(params: Params) -> tuple[str, list[Entity]]:
    text, entities = read_text(params, name="caption", entities="caption_entities")
    if units(text) > LONGEST_CAPTION:
        raise bad_request("message caption is too long")
    return text, entities
