"""What `make` says before anything is installed."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts.local import install, testing

ROOT = Path(__file__).resolve().parents[2]


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in {"MAKELEVEL", "MAKEFLAGS", "PYTHON"}}
    return subprocess.run(["make", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_help_lists_every_command_and_is_the_default() -> None:
    said = make().stdout
    commands = set(re.findall(r"^\.PHONY: (\S+)", (ROOT / "Makefile").read_text(), re.MULTILINE)) - {"python", "dev", "have-m"}
    assert {"demo", "test", "check", "test-fast", "fix", "bench", "migrate", "revision", "config", "operator", "clean"} <= commands
    assert set(re.findall(r"^  (\S+)  ", said, re.MULTILINE)) == commands
    assert make("help").stdout == said


@pytest.mark.parametrize(("told", "expected"), [("Python 3.9.2", "here is Python 3.9.2"), (None, "here is no ")])
def test_a_python_that_is_too_old_or_missing_is_named(tmp_path: Path, told: str | None, expected: str) -> None:
    old = tmp_path / "python"
    if told:
        old.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "{told}" && exit 0\nexit 1\n')
        old.chmod(0o755)

    ran = make("demo", f"PYTHON={old}")

    assert ran.returncode == 2
    assert ran.stderr.splitlines()[0].startswith("vitte: Python 3.11 to 3.14 is needed, and " + expected)
    assert ran.stdout == ""


def test_any_old_python_can_read_the_file_that_refuses_it() -> None:
    source = (ROOT / "scripts" / "demo.py").read_text(encoding="ascii")
    tree = ast.parse(source, feature_version=(3, 4))
    assert not [node for node in ast.walk(tree) if isinstance(node, (ast.JoinedStr, ast.Starred, ast.AnnAssign))]


@pytest.mark.parametrize("command", ["revision", "operator"])
def test_a_command_without_its_argument_says_which(command: str) -> None:
    ran = make(command, f"PYTHON={sys.executable}")
    assert ran.returncode == 2
    assert f"make {command} " in ran.stderr


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Resolved 138 packages\nerror: Failed to fetch: `x`\n  cause: dns error", "check the network"),
        ("ERROR: No matching distribution found for uv", "check the network"),
        ("error: No space left on device (os error 28)", "The disk is full"),
        ("Resolved 138 packages\nerror: The lockfile needs to be updated", "The lockfile needs to be updated"),
    ],
)
def test_a_failed_installation_ends_in_one_line_that_says_what_to_do(said: str, expected: str) -> None:
    reason = install.reason("the packages", said)
    assert expected in reason
    assert "\n" not in reason


def test_a_full_disk_is_seen_before_the_download(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install.shutil, "disk_usage", lambda _path: SimpleNamespace(free=1_400_000_000))
    install.check_space(1_000_000_000)
    with pytest.raises(install.InstallError, match=r"1\.4 GB free in .*, 1\.5 GB needed"):
        install.check_space(install.FIRST_RUN_BYTES)


@pytest.mark.parametrize(("ci", "code"), [("true", 3), ("", 0)])
def test_browser_tests_that_did_not_run_are_the_last_word_and_fail_in_ci(
    ci: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[str] = []
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(testing, "get_chromium", lambda: None)
    monkeypatch.setattr(testing, "run", lambda marks: ran.append(marks) or 0)

    assert testing.main([]) == code

    assert ran == ["not browser"]
    assert "The browser tests did NOT run" in capsys.readouterr().out
