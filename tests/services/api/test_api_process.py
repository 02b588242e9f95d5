"""`python -m services.api` as an operator runs it."""

from pathlib import Path

import httpx

from tests.services.opening import NOWHERE_DATABASE, NOWHERE_REDIS
from tests.services.running_process import free_port, running


def test_it_serves_without_waiting_for_others_and_stops_cleanly(tmp_path: Path) -> None:
    port = free_port()
    environment = {"DATABASE_URL": NOWHERE_DATABASE, "REDIS_URL": NOWHERE_REDIS, "API_PORT": str(port), "DB_CONNECT_TIMEOUT": "1"}
    with running("services.api", environment, tmp_path) as api:
        base = f"http://127.0.0.1:{port}/api/v1"
        api.wait_for_status(f"{base}/health", 200)
        assert httpx.get(f"{base}/health/db").status_code == 503
        httpx.get(f"{base}/nothing", headers={"X-Request-ID": "from-a-caller-1"})
        served = api.wait_for_event("request_served", status=404)
        assert (served["correlation_id"], served["route"], served["service"]) == ("from-a-caller-1", "unmatched", "api")
        code, seconds = api.terminate()
        assert (code, api.errors) == (0, [])
        assert seconds < 5
        assert api.events()[-1]["event"] == "api_stopped"


def test_a_missing_setting_is_named(tmp_path: Path) -> None:
    with running("services.api", {"REDIS_URL": NOWHERE_REDIS}, tmp_path) as api:
        assert api.process.wait(timeout=10) == 78
        api.terminate()
        assert api.errors == ["vitte: DATABASE_URL is missing: set it in the environment or in .env (see .env.example)"]
