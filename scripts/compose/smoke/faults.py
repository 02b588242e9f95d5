from scripts.compose.smoke.report import Report
from scripts.compose.smoke.stage import Stage


def check_faults(report: Report, stage: Stage) -> None:
    """Filled in below."""
