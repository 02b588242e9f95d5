"""Prometheus reads its files, each alert fires when it should and stays silent when it should, and says what to do."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.infrastructure.figures import OF_OTHERS, PROMETHEUS, ROOT, RULES, counted_by_us, labels_in, named_in, recorded, rules

CASES = sorted((PROMETHEUS / "tests").glob("*.yml"))
ALERTS = [rule for rule in rules() if "alert" in rule]
GIVEN_BY_PROMETHEUS = {"job", "instance", "server", "le", "sli", "service"}


def ran(promtool: str, *arguments: str | Path) -> str:
    done = subprocess.run([promtool, *arguments], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_prometheus_accepts_its_configuration(promtool: str) -> None:
    assert ran(promtool, "check", "config", PROMETHEUS / "prometheus.yml") == ""


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_alerts_fire_and_stay_silent_as_the_cases_say(promtool: str, file: Path) -> None:
    assert ran(promtool, "test", "rules", file) == ""


def test_every_alert_has_a_case_that_fires_and_one_that_stays_silent() -> None:
    fires, silent = set(), set()
    for case in (case for file in CASES for case in yaml.safe_load(file.read_text())["tests"]):
        assert case["input_series"], case["name"]
        for checked in case["alert_rule_test"]:
            (fires if checked["exp_alerts"] else silent).add(checked["alertname"])

    names = {alert["alert"] for alert in ALERTS}
    assert (names - fires, names - silent) == (set(), set())
    assert len(names) == len(ALERTS)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_says_what_is_wrong_how_urgent_it_is_and_where_help_stands(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in {"page", "ticket"}
    assert alert["annotations"]["summary"]
    assert alert["annotations"]["description"]
    assert alert["annotations"]["runbook"] == f"docs/runbook.md#{alert['alert'].lower()}"


def test_the_runbook_has_one_section_for_each_alert_and_names_its_urgency() -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    sections = dict(re.findall(r"^### (\w+)\n\*(page|ticket)\* · ", runbook, flags=re.MULTILINE))

    assert sections == {alert["alert"]: alert["labels"]["severity"] for alert in ALERTS}
    assert re.findall(r"^### ", runbook, flags=re.MULTILINE) == ["### "] * len(ALERTS)
    assert set(re.findall(r"\(#(\w+)\)", runbook)) <= {name.lower() for name in sections}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_reads_only_what_is_counted(rule: dict[str, Any]) -> None:
    ours = counted_by_us()
    named = named_in(rule["expr"])

    assert named - ours.keys() - recorded() - OF_OTHERS == set()
    if named and named <= ours.keys():
        known = frozenset[str]().union(*(ours[name] for name in named))
        assert labels_in(rule["expr"]) - known - GIVEN_BY_PROMETHEUS == set()


def test_no_series_of_ours_names_a_person() -> None:
    names = {label for labels in counted_by_us().values() for label in labels}

    assert not {label for label in names if re.search(r"user|chat|message|dialog|telegram|token|name", label)}


def test_every_process_is_scraped_at_its_port() -> None:
    jobs = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]
    by_name = {job["job_name"]: job["dns_sd_configs"][0] for job in jobs if "dns_sd_configs" in job}
    fixed = {target for job in jobs for config in job.get("static_configs", []) for target in config["targets"]}

    assert {name: (found["names"], found["port"]) for name, found in by_name.items()} == {
        "bot": (["bot"], 8002), "api": (["api"], 8000), "admin": (["admin"], 8001), "worker": (["worker"], 8003)
    }  # fmt: skip
    assert fixed >= {"nginx-exporter:9113", "postgres-exporter:9187", "redis://redis:6379", "redis://cache:6379"}


def test_the_pager_and_the_list_of_tickets_are_reached() -> None:
    config = yaml.safe_load((ROOT / "infrastructure" / "alertmanager" / "alertmanager.yml").read_text())
    receivers = {receiver["name"] for receiver in config["receivers"]}
    [paging] = config["route"]["routes"]

    assert (config["route"]["receiver"], paging["receiver"], paging["matchers"]) == ("tickets", "pager", ['severity = "page"'])
    assert receivers == {"tickets", "pager"}


def test_only_alerts_that_exist_silence_others() -> None:
    config = yaml.safe_load((ROOT / "infrastructure" / "alertmanager" / "alertmanager.yml").read_text())
    names = [alert["alert"] for alert in ALERTS]
    matchers = [matcher for rule in config["inhibit_rules"] for side in ("source_matchers", "target_matchers") for matcher in rule[side]]
    patterns = [pattern for matcher in matchers for pattern in re.fullmatch(r'alertname =~? "(.+)"', matcher)[1].split("|")]

    assert [pattern for pattern in patterns if not any(re.fullmatch(pattern, name) for name in names)] == []


def test_the_files_are_where_prometheus_looks_for_them() -> None:
    assert [file.stem for file in RULES] == [file.stem for file in CASES]
