"""Grafana's dashboards: complete, tidy, and no panel asks for what nobody counts."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.adapters.llm.breaker import BreakerState
from tests.infrastructure.figures import OF_OTHERS, ROOT, RULES, counted_by_us, named_in, recorded

GRAFANA = ROOT / "infrastructure" / "grafana"
BOARDS = {file.stem: json.loads(file.read_text()) for file in sorted((GRAFANA / "dashboards").glob("*.json"))}
each_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS.keys())


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def queries(board: dict[str, Any]) -> list[str]:
    own = [target["expr"] for panel in panels(board) for target in panel["targets"]]
    marks = [mark["expr"] for mark in board["annotations"]["list"] if "expr" in mark]
    return [_runnable(query) for query in own + marks]


def _runnable(query: str) -> str:
    return query.replace("$__rate_interval", "5m").replace("$service", ".+")


def test_there_are_the_six_dashboards_that_are_promised() -> None:
    assert {name: (board["uid"], board["title"]) for name, board in BOARDS.items()} == {
        "overview": ("vitte-overview", "Overview"),
        "services": ("vitte-services", "Services"),
        "telegram": ("vitte-telegram", "Telegram & inbox"),
        "models": ("vitte-models", "Models & cost"),
        "data": ("vitte-data", "Data stores"),
        "jobs": ("vitte-jobs", "Jobs"),
    }


@each_board
def test_every_query_is_promql(promtool: str, board: dict[str, Any], tmp_path: Path) -> None:
    asked = [{"record": f"panel:query:{number}", "expr": query} for number, query in enumerate(queries(board))]
    (tmp_path / "queries.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": asked}]}))

    checked = subprocess.run([promtool, "check", "rules", tmp_path / "queries.yml"], capture_output=True, text=True, check=False)

    assert (checked.returncode, checked.stderr) == (0, "")


@each_board
def test_every_panel_reads_only_what_is_counted(board: dict[str, Any]) -> None:
    named = {name for query in queries(board) for name in named_in(query)}

    assert named - counted_by_us().keys() - recorded() - OF_OTHERS == set()


def test_models_and_cost_says_nought_where_nothing_was_counted_yet(promtool: str, tmp_path: Path) -> None:
    """An empty panel would look like a broken one. Only breakers are there from the start, one for each model."""
    board = BOARDS["models"]
    asked = [target["expr"] for panel in panels(board) if panel["type"] != "state-timeline" for target in panel["targets"]]
    expected = [{"labels": "{}", "value": 1}]
    cases = [{"expr": f"count({_runnable(query)})", "eval_time": "5m", "exp_samples": expected} for query in asked]
    tests = {"rule_files": [str(file) for file in RULES], "tests": [{"input_series": [], "promql_expr_test": cases}]}
    (tmp_path / "empty.yml").write_text(yaml.safe_dump(tests))

    checked = subprocess.run([promtool, "test", "rules", tmp_path / "empty.yml"], capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout[-2_000:]
    assert len(asked) > 30


def test_breakers_are_shown_in_words() -> None:
    [breakers] = [panel for panel in panels(BOARDS["models"]) if panel["type"] == "state-timeline"]
    [mapping] = breakers["fieldConfig"]["defaults"]["mappings"]

    shown = {BreakerState(int(value)): word["text"] for value, word in mapping["options"].items()}
    assert shown == {BreakerState.CLOSED: "closed", BreakerState.HALF_OPEN: "half-open", BreakerState.OPEN: "open"}


@each_board
def test_every_panel_explains_itself(board: dict[str, Any]) -> None:
    lacking = [panel["title"] for panel in panels(board) if not panel["description"] or not panel["fieldConfig"]["defaults"]["unit"]]

    assert lacking == []
    assert {panel["datasource"]["uid"] for panel in panels(board)} == {"prometheus"}


@each_board
def test_panels_stand_side_by_side(board: dict[str, Any]) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for cell in ((x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])):
            assert cell not in taken, (panel["title"], taken[cell])
            taken[cell] = panel["title"]
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


@each_board
def test_links_lead_somewhere(board: dict[str, Any]) -> None:
    uids = {f"/grafana/d/{other['uid']}" for other in BOARDS.values()}
    links = [link["url"] for link in board["links"]] + [link["url"] for panel in panels(board) for link in panel.get("links", [])]
    sections = {name.lower() for name in re.findall(r"^### (\w+)", (ROOT / "docs" / "runbook.md").read_text(), flags=re.MULTILINE)}
    named = set(re.findall(r"docs/runbook\.md#(\w+)", json.dumps(board)))

    assert set(links) <= uids
    assert len(board["links"]) == len(BOARDS) - 1
    assert named <= sections


def test_the_overview_has_a_tile_for_everything_that_can_be_down() -> None:
    first = BOARDS["overview"]["panels"][1:9]

    assert [panel["title"] for panel in first] == ["Bot", "API", "Dashboard", "Worker", "Nginx", "PostgreSQL", "Redis", "Cache"]
    assert {panel["gridPos"]["y"] for panel in first} == {1}
    assert all(panel["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["color"] == "red" and panel["links"] for panel in first)


def test_grafana_is_given_its_sources_and_its_folder() -> None:
    sources = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "prometheus.yml").read_text())["datasources"]
    [provider] = yaml.safe_load((GRAFANA / "provisioning" / "dashboards" / "vitte.yml").read_text())["providers"]

    assert {source["uid"]: source["url"] for source in sources} == {
        "prometheus": "http://prometheus:9090", "alertmanager": "http://alertmanager:9093"
    }  # fmt: skip
    assert (provider["options"]["path"], provider["allowUiUpdates"]) == ("/var/lib/grafana/dashboards", False)
