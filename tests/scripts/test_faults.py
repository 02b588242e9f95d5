"""`make faults`: its arithmetic, its tables, and one fault from beginning to end."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.faults.bills import Bill, bill_of, number_of
from scripts.faults.catalogue import FAULTS, FIRST, NONE, SECOND, Load, Speech
from scripts.faults.crowd import Request, make_requests
from scripts.faults.judgement import Figures, Pool, Times, cost_of, fault_of, judge
from scripts.faults.report import BEGIN, END, chosen, markdown, terminal, write_into
from scripts.local.processes import StartError
from shared.adapters.llm.reply_in_parts import GO_ON

ROOT = Path(__file__).resolve().parents[2]
SPEECH = Speech()
SAID = "Please tell me a story about number 7."
RIGHT = SPEECH.expected(SAID)
POOL = Pool(failovers=3, passed_over=99, openings=1, probes=0)


def make_request(number: int = 7, **overrides: Any) -> Request:
    said = f"Please tell me a story about number {number}."
    return Request(**{"number": number, "said": said, "first": 0.2, "whole": 0.5, "text": SPEECH.expected(said), **overrides})


def make_row(request: Request, **overrides: Any) -> dict[str, Any]:
    return {"status": "finished", "cost_micros": 100, "reply": request.text, **overrides}


def judged(*requests: Request, rows: Any = None, bills: Any = None) -> Figures:
    rows = {one.source_id: make_row(one) for one in requests} if rows is None else rows
    return judge(requests, rows, bills or {one.number: [Bill(100, is_told=True)] for one in requests}, SPEECH, POOL)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (RIGHT, None),
        (RIGHT.replace("w05", "w05 w05"), "doubled"),
        (f"{RIGHT} {RIGHT}", "doubled"),
        (RIGHT.replace(" w05", ""), "missing"),
        (RIGHT.replace("number 7", "number 8"), "missing"),
        (RIGHT.replace("w04 w05", "w05 w04"), "other"),
        (RIGHT.replace("w04 w05", "w04w05"), "missing"),
        (f"{RIGHT} [The connection broke off]", "other"),
        ("", "missing"),
    ],
)
def test_a_reply_that_is_not_word_for_word_right_is_seen(text: str, fault: str | None) -> None:
    assert fault_of(text, SAID, SPEECH) == fault


def test_what_the_dialog_remembers_is_compared_too() -> None:
    one = make_request()
    rows = {one.source_id: make_row(one, reply=one.text + " w40")}
    found = judged(one, rows=rows)
    assert (found.texts.doubled, found.is_good) == (1, False)


@pytest.mark.parametrize(
    ("micros", "bills", "right", "ratio"),
    [
        (100, [Bill(100, is_told=True)], True, None),
        (101, [Bill(100, is_told=True)], False, None),
        (200, [Bill(100, is_told=True)], False, None),
        (None, [Bill(100, is_told=True)], False, None),
        (100, [], False, None),
        (130, [Bill(100, is_told=True), Bill(20, is_told=False)], True, 1.5),
        (119, [Bill(100, is_told=True), Bill(20, is_told=False)], False, 0.95),
        (100, [Bill(100, is_told=True), Bill(20, is_told=False)], False, 0.0),
        (150, [Bill(100, is_told=True), Bill(20, is_told=False)], False, 2.5),
    ],
)
def test_a_cost_is_right_to_the_micro_or_a_fair_guess(micros: int | None, bills: list[Bill], right: bool, ratio: float | None) -> None:
    assert cost_of({"cost_micros": micros}, bills) == (right, ratio)
    assert cost_of(None, bills) == (False, None)


def test_a_provider_bills_what_it_spoke_and_nothing_else() -> None:
    call = {"prompt_tokens": 100, "completion_tokens": 10, "outcome": "completed"}
    assert (bill_of(FIRST, call), bill_of(SECOND, call)) == (Bill(120, is_told=True), Bill(1200, is_told=True))
    assert bill_of(FIRST, {**call, "outcome": "cut"}) == Bill(120, is_told=False)
    assert bill_of(FIRST, {**call, "completion_tokens": None}) is None


def test_a_call_belongs_to_the_newest_words_of_the_person() -> None:
    said = [{"role": "user", "content": f"Please tell me a story about number {number}."} for number in (1, 2)]
    replied = {"role": "assistant", "content": SPEECH.expected(said[0]["content"])}
    assert number_of([{"role": "system", "content": "…"}, said[0], replied, said[1]]) == 2
    assert number_of([said[0], replied, said[1], {"role": "assistant", "content": "You"}, {"role": "user", "content": GO_ON}]) == 2
    assert number_of([{"role": "user", "content": "Say OK."}]) is None


def test_requests_come_at_the_same_moments_for_every_fault_and_never_say_the_same() -> None:
    load = Load(seconds=10, rate=20)
    one, other = make_requests(load, 1), make_requests(load, 1001)
    assert [due for due, _ in one] == [due for due, _ in other]
    assert 150 < len(one) < 250
    assert not {request.said for _, request in one} & {request.said for _, request in other}


def test_times_are_told_apart_by_the_state_of_the_breaker() -> None:
    found = judged(make_request(1, first=1.7, whole=2.0), make_request(2, was_open=True), make_request(3, was_open=True, first=0.4))
    assert found.closed == Times(count=1, p50=1700.0, p95=1700.0, longest=1700.0)
    assert found.opened == Times(count=2, p50=200.0, p95=400.0, longest=400.0)
    assert found.first.count == 3


def test_a_lost_request_is_told_with_its_reason() -> None:
    found = judged(make_request(1), make_request(2, whole=None, text="", failure="ModelUnavailableError: nobody"))
    assert (found.asked, found.lost, found.is_good) == (2, 1, False)
    calm = judged(make_request(1))
    lines = terminal({NONE: calm, FAULTS[0]: found})
    assert "Of 3 requests 1 lost, 0 with a wrong text, 0 with a wrong cost." in lines
    assert "refused connection: 1 × ModelUnavailableError: nobody" in lines


def test_the_tables_say_what_was_added_and_fit_on_a_terminal() -> None:
    calm = judged(make_request(1, first=0.2, whole=0.5))
    slow = judged(make_request(1, first=1.75, whole=2.0), make_request(2, was_open=True, first=0.31, whole=0.6))
    results = {fault: slow if fault is not NONE else calm for fault in (NONE, *FAULTS)}
    lines = terminal(results).splitlines()
    assert max(map(len, (line for line in lines if not line.startswith("Added")))) <= 100
    row = next(line for line in lines if line.startswith("hang after connect"))
    assert " ".join(row.split()) == "hang after connect 2 0 +110/+1550 +100/+1500 1: ≤ +1550 +110/+110 +100/+100"
    assert "p95 < 100 ms: NOT reached: refused connection +110 ms" in terminal(results)


def test_only_the_part_between_the_marks_is_written(tmp_path: Path) -> None:
    document = tmp_path / "resilience.md"
    document.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    results = {NONE: judged(make_request())}
    write_into(document, markdown(results, Load(), SPEECH, "A machine"))
    text = document.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{BEGIN}\nA machine. 20 requests a second")
    assert text.endswith(f"\n{END}\nafter\n")
    assert "old" not in text
    document.write_text("no marks", encoding="utf-8")
    with pytest.raises(StartError, match="no place for the table"):
        write_into(document, "x")


def test_the_document_explains_every_fault() -> None:
    text = (ROOT / "docs" / "resilience.md").read_text(encoding="utf-8")
    assert all(f"| {fault.title} |" in text for fault in (NONE, *FAULTS))
    assert [fault.name for fault in chosen(["hang", "cut"])] == ["none", "hang", "cut"]


def test_two_seconds_of_replies_that_break_off_from_beginning_to_end(server_folder: Path) -> None:
    document = server_folder / "resilience.md"
    document.write_text(f"{BEGIN}\n{END}\n", encoding="utf-8")
    command = [sys.executable, "-m", "scripts.faults", "--seconds", "2", "--rate", "10", "--only", "cut"]
    ran = subprocess.run(
        [*command, "--folder", str(server_folder / "faults"), "--output", str(document)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert re.search(r"Of (3|4)\d requests 0 lost, 0 with a wrong text, 0 with a wrong cost\.", ran.stdout)
    rows = {row[0]: row[1:] for line in document.read_text(encoding="utf-8").splitlines() if (row := line.strip("| ").split(" | "))}
    moved, _, opened, _, doubled, missing, other, bad_cost, guessed = rows["cut mid-stream"]
    assert int(moved) >= 3
    assert opened == "1"
    assert (doubled, missing, other, bad_cost) == ("0", "0", "0", "0")
    assert guessed.startswith("× 1.")
