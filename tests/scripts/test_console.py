"""What the person at the terminal of the demo sees of the processes, and what only the file has."""

import io

import pytest

from scripts.local.console import Console


@pytest.mark.parametrize(
    ("line", "is_shown"),
    [
        ('{"event": "Scheduler: Sending due task take-figures (take_figures)", "level": "info"}', False),
        ('{"outcome": "done", "milliseconds": 2.3, "event": "task_ended", "level": "info"}', False),
        ('{"outcome": "failed", "milliseconds": 2.3, "event": "task_ended", "level": "error"}', True),
        ('{"facts": {"kept": 2}, "event": "memory_refreshed", "level": "info"}', True),
    ],
)
def test_the_routine_of_the_schedule_is_in_the_file_and_not_on_the_terminal(line: str, is_shown: bool) -> None:
    console = Console(file=io.StringIO(), out=io.StringIO(), opened=True)
    console.process_said("worker", line)
    kept, shown = (stream.getvalue() for stream in (console.file, console.out) if isinstance(stream, io.StringIO))
    assert kept == f"worker    | {line}\n"
    assert shown == (kept if is_shown else "")
