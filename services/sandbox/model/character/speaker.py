"""Composes an answer: understand the last message, choose a line not used yet, fill it, add a gesture or a memory now and then."""

import re
from collections.abc import Callable, Sequence

from services.sandbox.model.character.scene import Said, Scene, read_scene
from services.sandbox.model.character.script import czech_words, plain_words
from services.sandbox.model.character.tales import further_chapter, long_tale, next_chapter, story

_WORD = re.compile(r"[^\W\d_][\w'’-]{3,24}")
_SLOT = re.compile(r"\{(,?\w+)\}")
_FENCE = "```"  # the braces of a program are not slots
_QUOTED = 180
_STEM, _RECALLED = 4, 6
_TAKES = 6  # of an answer that broke off are tried
_TELLING = frozenset({"statement", "like", "introduce", "sad", "anxious", "tired", "angry", "lonely", "bored", "happy"})
# Where a gesture or a memory would be out of place.
_BARE = frozenset(
    {
        "honesty",
        "code",
        "poem",
        "tips",
        "arithmetic",
        "lesson",
        "translate",
        "recall_last",
        "recall_name",
        "recall_memory",
        "recall_mine",
        "summary",
    }
)


def answer(messages: Sequence[Said], take: int = 0) -> str:
    """The same conversation always gets the same answer, and another one for each `take` of it as far as there are lines."""
    scene = read_scene(messages, take)
    if scene.goes_on:
        return _go_on(scene, messages)
    intent, found = scene.script.understand(scene.last)
    if teller := _TELLERS.get(intent):
        return teller(scene)
    values = _values(scene)
    if intent in _COMPUTED:
        values |= _COMPUTED[intent](found) if found else {}
    elif intent == "recall_memory":
        values |= _recalled(scene)
    elif intent == "summary":
        values |= _topics(scene)
    text = _choose(scene, intent, values)
    return text if intent in _BARE else _coloured(scene, intent, text, values)


def _go_on(scene: Scene, messages: Sequence[Said]) -> str:
    """The rest of an answer that broke off; another chapter of a tale; or a sentence or two more."""
    said = messages[-2].text if len(messages) > 1 and messages[-2].role == "assistant" else ""
    whole = (answer(messages[:-2], take) for take in range(_TAKES)) if said else ()
    if rest := next((text[len(said) :] for text in whole if len(text) > len(said) and text.startswith(said)), ""):
        return rest
    if scene.script.understand(scene.last)[0] in _TELLERS:
        return further_chapter(scene)
    return _choose(scene, "further", _values(scene))


def _values(scene: Scene) -> dict[str, str]:
    """What the slots of a line may be filled with. A slot that is missing here makes a line unusable."""
    values = {"name": scene.script.names.get(scene.part.name, scene.part.name), ",user": f", {scene.user}" if scene.user else ""}
    if scene.user:
        values["user"] = scene.user
    if scene.likes:
        values["like"] = scene.likes[-1]
        values["Like"] = scene.likes[-1][:1].upper() + scene.likes[-1][1:]
    if told := next((told for told in scene.part.selves if told not in scene.said), None):
        values["self"] = told
    if scene.before:
        values["before"] = _quoted(scene.before)
    if scene.mine:
        values["mine"] = _first_sentence(scene.mine)
    if topic := _topic(scene.last):
        values["topic"] = topic
    return values


def _topics(scene: Scene) -> dict[str, str]:
    """What the person told so far, for a summary; questions and small talk left out."""
    told = (text for text in scene.earlier if scene.script.understand(text)[0] in _TELLING)
    topics = list(dict.fromkeys(filter(None, map(_topic, told))))
    return {"topics": ", ".join(f"*{topic}*" for topic in topics[-5:])} if topics else {}


def _recalled(scene: Scene) -> dict[str, str]:
    """The memories that share a word with the question, or else all of them."""
    asked = {word[:_STEM] for word in scene.last.lower().split()}
    about = [fact for fact in scene.part.memories if asked & {word[:_STEM] for word in fact.lower().split()}]
    facts = [fact.rstrip(".") for fact in (about or scene.part.memories)[:_RECALLED]]
    return {"memories": "; ".join(facts)} if facts else {}


def _choose(scene: Scene, intent: str, values: dict[str, str]) -> str:
    lines = (scene.script.said_by("", f"{intent}_told") if "self" in values else []) or scene.script.said_by(scene.part.manner, intent)
    lines = lines or scene.script.said_by(scene.part.manner, "statement")
    filled = _filled(scene, lines, values) or _filled(scene, scene.script.said_by(scene.part.manner, f"{intent}_unknown"), values)
    filled = filled or _filled(scene, scene.script.said_by("", "short"), values)
    fresh = [line for line in filled if line not in scene.said] or filled
    if scene.take >= len(fresh):  # a manner may have a single line of its own
        fresh = list(dict.fromkeys([*fresh, *_filled(scene, scene.script.said_by("", intent), values)]))
    return fresh[scene.take % len(fresh)]


def _filled(scene: Scene, lines: Sequence[str], values: dict[str, str]) -> list[str]:
    """The usable lines, filled, beginning with the one this moment draws."""
    usable = [line for line in lines if _FENCE in line or all(slot in values for slot in _SLOT.findall(line))]
    start = scene.seed % len(usable) if usable else 0
    drawn = usable[start:] + usable[:start]
    return [line if _FENCE in line else _SLOT.sub(lambda slot: values[slot[1]], line) for line in drawn]


def _coloured(scene: Scene, intent: str, text: str, values: dict[str, str]) -> str:
    """One answer in four opens with a gesture; a liking is remembered every few turns."""
    manner, seed = scene.part.manner, scene.mood >> 8
    if seed % 4 == 0 and not text.startswith("*"):
        gestures = scene.script.said_by(manner, "actions")
        text = f"{gestures[(seed >> 4) % len(gestures)]} {text}"
    if intent == "introduce" and "like" in values and values["like"] in scene.last:
        text = f"{_filled(scene, scene.script.said_by(manner, 'noted'), values)[0]} {text}"
    elif scene.turn % 4 == 3 and intent in {"statement", "short", "how_are_you", "greet", "yes"} and "like" in values:
        recalled = _filled(scene, scene.script.said_by(manner, "remembering"), values)
        text += next((f"\n\n{line}" for line in recalled if line not in scene.said), "")
    return text


def _topic(text: str) -> str | None:
    words = [word for word in _WORD.findall(text[:400]) if word.lower() not in plain_words()]
    return max(words, key=len).strip("'’-").lower() if words else None


def _quoted(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _QUOTED else f"{flat[:_QUOTED].rstrip()}…"


def _first_sentence(text: str) -> str:
    flat = " ".join(re.sub(r"[*_`]+", "", text[:400]).split())
    end = re.search(r"[.!?…]", flat)
    return _quoted(flat[: end.end()] if end else flat)


def _calculated(found: re.Match[str]) -> dict[str, str]:
    left, sign, right = float(found[1]), found[2], float(found[3])
    if sign in "/÷" and right == 0:
        return {}
    result = {"+": left + right, "-": left - right}.get(sign)
    if result is None:
        result = left / right if sign in "/÷" else left * right
    return {"result": f"{result:.10g}"}


def _translated(found: re.Match[str]) -> dict[str, str]:
    word = found[1].strip(" \"“”'«»?!.").lower()
    czech = czech_words().get(word) or czech_words().get(word.removeprefix("the ").removeprefix("a "))
    return {"result": czech} if czech else {}


_COMPUTED: dict[str, Callable[[re.Match[str]], dict[str, str]]] = {"arithmetic": _calculated, "translate": _translated}
_TELLERS: dict[str, Callable[[Scene], str]] = {"story": story, "long": long_tale, "continue": next_chapter}
