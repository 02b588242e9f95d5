"""A reply that came as JSON becomes the messages that it means."""

import pytest

from shared.domain.bubbles import MOST_BUBBLES, begins_like_json, bubbles_of


@pytest.mark.parametrize(
    ("reply", "bubbles"),
    [
        ("Hello!", ("Hello!",)),
        ('["Hello!", "How are you?"]', ("Hello!", "How are you?")),
        ('```json\n["Hello!", " ", "How are you?"]\n```', ("Hello!", "How are you?")),
        ('```\n{"response": "Hello!"}\n```', ("Hello!",)),
        ('{"messages": ["One", {"text": "Two"}]}', ("One", "Two")),
        ('[{"role": "assistant", "content": "Hello!"}]', ("Hello!",)),
        ('{"response": ["One", "Two"]}', ("One", "Two")),
        ('{"tool": "search", "arguments": {}}', ()),
        ('[{"tool_calls": []}, "Hello!"]', ("Hello!",)),
        ('["Hello!", "How are', ('["Hello!", "How are',)),
        ('{"a": 1}', ('{"a": 1}',)),
        ('["one", 2]', ('["one", 2]',)),
        ("[]", ()),
        ("[smiles] Hi", ("[smiles] Hi",)),
        ("```python\n[1]\n```", ("```python\n[1]\n```",)),
        ("   ", ()),
        ('["' + '["' * 5000, ('["' + '["' * 5000,)),
    ],
)
def test_what_can_be_read_once_is_bubbles_and_the_rest_is_plain_text(reply: str, bubbles: tuple[str, ...]) -> None:
    assert bubbles_of(reply) == bubbles


def test_too_many_bubbles_are_joined_to_the_last() -> None:
    bubbles = bubbles_of(str([f"b{number}" for number in range(30)]).replace("'", '"'))
    assert (len(bubbles), bubbles[0]) == (MOST_BUBBLES, "b0")
    assert bubbles[-1].split("\n\n") == [f"b{number}" for number in range(9, 30)]


@pytest.mark.parametrize(
    ("start", "looks"),
    [("", None), ("[", None), (" [ ", None), ('["', True), ("[s", False), ("{", None), ('{"', True), ("{x", False), ("``", None),
     ("```js", None), ("```json\n[", None), ('```json\n["', True), ("```py", False), ("Hi", False)],
)  # fmt: skip
def test_a_beginning_is_judged_as_soon_as_it_can_be(start: str, looks: bool | None) -> None:
    assert begins_like_json(start) is looks
