"""The migrations of this checkout in their order, read from the files: Alembic is installed only where they run."""

import ast
from collections.abc import Mapping
from pathlib import Path


def known(versions: Path) -> tuple[str, ...]:
    """Oldest first; empty when they are not one line from a first to a last."""
    before = dict(_named(path) for path in versions.glob("*.py"))
    after = {down: revision for revision, down in before.items()}
    found: list[str] = []
    following = after.get(None)
    while following is not None and len(found) < len(before):
        found.append(following)
        following = after.get(following)
    return tuple(found) if len(found) == len(before) == len(after) else ()


def _named(path: Path) -> tuple[str, str | None]:
    values = _constants(ast.parse(path.read_text(encoding="utf-8")))
    return values.get("revision") or path.stem, values.get("down_revision")


def _constants(tree: ast.Module) -> Mapping[str, str | None]:
    found: dict[str, str | None] = {}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if isinstance(value, ast.Constant) and (value.value is None or isinstance(value.value, str)):
            found |= {target.id: value.value for target in targets if isinstance(target, ast.Name)}
    return found
