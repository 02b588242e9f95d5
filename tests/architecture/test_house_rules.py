"""Rules that a reviewer would repeat."""

import ast
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

from shared.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
OURS = ("shared", "services", "scripts")
BANNED_NAMES = {"utils", "helpers", "common", "misc", "manager", "processor", "base_service", "info"}
CONTAINERS = "# --- Containers"
FREE_OF_SETTINGS = {"SANDBOX_PORT"}


def sources() -> Iterator[Path]:
    for folder in OURS:
        yield from sorted((ROOT / folder).rglob("*.py"))


def functions() -> Iterator[tuple[str, int]]:
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield f"{path.relative_to(ROOT)}:{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def percentile(values: list[int], share: float) -> int:
    return sorted(values)[round(share * (len(values) - 1))]


def test_functions_are_short() -> None:
    lengths = dict(functions())
    assert {name: length for name, length in lengths.items() if length > 60} == {}
    assert statistics.median(lengths.values()) <= 10
    assert percentile(list(lengths.values()), 0.9) <= 30


def test_files_are_short() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}
    assert {name: length for name, length in lengths.items() if length > 400} == {}
    assert percentile(list(lengths.values()), 0.9) <= 250


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [str(path) for path in sources() if path.stem in BANNED_NAMES or path.parent.name in BANNED_NAMES] == []


def test_blanket_excepts_are_few_and_named_in_an_adr() -> None:
    catching = [str(path.relative_to(ROOT)) for path in sources() if "BLE001" in path.read_text(encoding="utf-8")]
    decisions = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs/adr").glob("*.md"))
    assert len(catching) <= 3
    assert [path for path in catching if path not in decisions] == []


def described(containers: bool) -> str:
    """The part of .env.example that processes read, or the one that only Compose reads."""
    ours, mark, theirs = (ROOT / ".env.example").read_text(encoding="utf-8").partition(CONTAINERS)
    return mark + theirs if containers else ours


def test_env_example_and_settings_name_the_same_variables() -> None:
    text = described(containers=False)
    listed = set(re.findall(r"^([A-Z][A-Z0-9_]*)=", text, re.MULTILINE))
    assert listed - FREE_OF_SETTINGS == {name.upper() for name in Settings.model_fields}


def test_every_variable_in_env_example_has_a_comment_in_its_section() -> None:
    blocks = (ROOT / ".env.example").read_text(encoding="utf-8").split("# --- ")
    assert [block.splitlines()[0] for block in blocks[1:] if block.count("\n#") == 0 and "PORT" not in block] == []


def test_env_example_holds_the_defaults_and_no_secret() -> None:
    text = described(containers=False)
    given = dict(re.findall(r"^([A-Z][A-Z0-9_]*)=(.+)$", text, re.MULTILINE))
    defaults = {name.upper(): str(field.default) for name, field in Settings.model_fields.items()}
    spellings = {name: {value, value.lower(), value.removesuffix(".0")} for name, value in defaults.items()}
    wrong = {name: value for name, value in given.items() if name not in FREE_OF_SETTINGS and value not in spellings[name]}
    assert wrong == {}


def test_services_and_shared_code_make_no_tables() -> None:
    assert [str(path) for path in sources() if "create_all(" in path.read_text(encoding="utf-8")] == []


def test_handlers_stay_under_twenty_lines() -> None:
    handlers = {name: length for name, length in functions() if "/handlers/" in name and "create_router" not in name}
    assert {name: length for name, length in handlers.items() if length > 20} == {}
