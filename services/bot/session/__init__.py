"""How calls reach Telegram: JSON over one pooled session, flood waits obeyed by one policy, no token in any message of an error."""

from services.bot.session.flood import CallMetrics, FloodControl, Observe
from services.bot.session.lean import LeanSession, RawCall, build_api, post_raw

__all__ = ["CallMetrics", "FloodControl", "LeanSession", "Observe", "RawCall", "build_session", "post_raw"]


def build_session(api_url: str | None, pool_size: int, timeout: float, *, observe: Observe | None = None) -> LeanSession:
    """One session for all bots of a process; to be closed last.

    Without ``api_url`` calls go to Telegram itself. ``timeout`` is in seconds and per attempt; ``observe`` hears of every attempt.
    """
    session = LeanSession(api=build_api(api_url), limit=pool_size, timeout=timeout)
    session.middleware(FloodControl())
    if observe is not None:
        session.middleware(CallMetrics(observe))
    return session
