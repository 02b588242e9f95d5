"""This machine's clock beside others'. A wrong one breaks certificates, sessions and everything that is due at a time."""

from datetime import datetime

from scripts.doctor.findings import Finding, fail, ok, warn

SHOWN_SECONDS, BROKEN_SECONDS = 2.0, 60.0
REMEDY = "set the clock of this machine and let it be kept: `timedatectl set-ntp true` (or chrony), then look again"


def compared(whose: str, theirs: datetime, before: datetime, after: datetime, precision: float = 0.0) -> Finding:
    """`before` and `after` are ours around the moment in which they said theirs; `precision` in seconds is how exactly they tell it."""
    middle = before + (after - before) / 2
    apart = abs((theirs - middle).total_seconds())
    certain = max(0.0, apart - (after - before).total_seconds() / 2 - precision)
    side = "behind" if theirs > middle else "ahead of"
    if certain > BROKEN_SECONDS:
        return fail("clock", f"this machine is {apart:.0f} s {side} {whose}", REMEDY)
    if certain > SHOWN_SECONDS:
        return warn("clock", f"this machine is {apart:.1f} s {side} {whose}", REMEDY)
    return ok("clock", f"agrees with {whose}")
