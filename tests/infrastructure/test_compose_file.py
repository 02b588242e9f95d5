"""docker-compose.yml as a reviewer reads it: who is locked in, who is reachable, and that nothing an operator can set is undescribed."""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from scripts.compose.installation import GENERATED
from scripts.compose.up import without_demands
from shared.adapters.celery_jobs import QUEUES
from shared.settings import Settings
from tests.architecture.test_house_rules import described

ROOT = Path(__file__).resolve().parents[2]
OURS = ("bot", "api", "worker", "schedule", "admin", "migrations", "bucket", "sandbox")
COMPOSE_ITSELF = {"COMPOSE_PROFILES", "COMPOSE_FILE", "COMPOSE_PROJECT_NAME"}
WITHOUT_A_SHELL = {"redis-exporter", "nginx-exporter"}
"""Their images hold one binary and nothing that could run a check."""
DRAIN_SECONDS = 30
FIXED = {"BIND_HOST", "BOT_PORT", "API_PORT", "ADMIN_PORT", "WORKER_PORT", "CELERY_BROKER_URL", "DB_MAX_OVERFLOW"}
"""Settings that the containers themselves decide."""


def source() -> str:
    return (ROOT / "docker-compose.yml").read_text(encoding="utf-8")


def with_certbot() -> str:
    return source() + (ROOT / "infrastructure" / "compose" / "acme.yml").read_text(encoding="utf-8")


def compose() -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe").load(source())
    return found


SERVICES: dict[str, dict[str, Any]] = compose()["services"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_locked_in(name: str) -> None:
    service = SERVICES[name]
    limits = service["deploy"]["resources"]["limits"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True
    assert {"cpus", "memory", "pids"} <= limits.keys()
    assert service["logging"]["options"]["max-size"] == "10m"
    assert service.get("read_only", False) or name == "s3"
    assert not service.get("privileged", False)
    assert all("docker.sock" not in str(volume) for volume in service.get("volumes", []))


def test_every_service_says_how_it_is() -> None:
    jobs = {name for name, service in SERVICES.items() if service.get("restart") == "no"}
    assert {name for name, service in SERVICES.items() if "healthcheck" not in service} == jobs | WITHOUT_A_SHELL


def test_every_queue_is_watched() -> None:
    """The exporter counts only the queues that it is told; alerts and dashboards name them again."""
    counted = SERVICES["redis-exporter"]["environment"]["REDIS_EXPORTER_CHECK_SINGLE_KEYS"]
    infrastructure = ROOT / "infrastructure"
    readers = [infrastructure / "prometheus" / "rules" / "jobs.yml", infrastructure / "grafana" / "dashboards" / "jobs.json"]
    named = {names for file in readers for names in re.findall(r'redis_key_size\{.*?key=~\\?"([^"\\]+)', file.read_text(encoding="utf-8"))}

    assert counted == ",".join(f"db1={queue}" for queue in QUEUES)
    assert named == {"|".join(QUEUES)}


def test_every_queue_is_open_to_those_who_send_and_work() -> None:
    """Redis refuses a whole BRPOP for one key that is not allowed: the worker would stand still for all queues."""
    lines = (ROOT / "infrastructure" / "redis" / "users.acl").read_text(encoding="utf-8").splitlines()
    allowed = {line.split()[1]: set(re.findall(r" ~(\w+)\*", line)) for line in lines if line.startswith("user ")}

    senders = ("bot", "api", "admin", "worker")
    assert [(user, queue) for user in senders for queue in QUEUES if queue not in allowed[user]] == []


def test_every_image_is_pinned() -> None:
    images = {name: service["image"] for name, service in SERVICES.items()}
    assert [name for name, image in images.items() if not re.fullmatch(r"[\w./-]+:[\w.${}:-]+", image) or image.endswith(":latest")] == []


def test_only_the_door_is_published_and_the_data_is_out_of_its_reach() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["nginx"]
    networks = {name: set(service.get("networks", [])) for name, service in SERVICES.items()}
    assert networks["nginx"] == {"public", "edge"}
    assert [name for name in ("postgres", "redis", "cache", "s3") if networks[name] != {"internal"}] == []
    assert {name for name, network in compose()["networks"].items() if network and network.get("internal")} == {"edge", "internal"}


def test_the_exporter_of_the_server_is_given_nothing_of_the_server() -> None:
    service = SERVICES["node-exporter"]
    assert service["volumes"] == ["./infrastructure/node-exporter:/textfile:ro"]
    assert {"pid", "network_mode", "ports"} & service.keys() == set()
    assert service["networks"] == ["internal"]


@pytest.mark.parametrize("name", OURS)
def test_ours_are_nobody_and_have_time_to_finish(name: str) -> None:
    service = SERVICES[name]
    assert service["user"] == "10001:10001"
    assert int(service["stop_grace_period"].removesuffix("s")) > DRAIN_SECONDS


def test_nobody_of_ours_starts_before_the_migrations_ended_well() -> None:
    waiting = {name for name, service in SERVICES.items() if "migrations" in service.get("depends_on", {})}
    assert {"bot", "api", "worker", "schedule", "admin"} <= waiting
    assert {SERVICES[name]["depends_on"]["migrations"]["condition"] for name in waiting} == {"service_completed_successfully"}


def variables() -> set[str]:
    return set(re.findall(r"\$\{([A-Z0-9_]+)", with_certbot()))


def test_what_an_operator_may_set_is_described_and_read() -> None:
    text = described(containers=True)
    listed = set(re.findall(r"^([A-Z][A-Z0-9_]*)=", text, re.MULTILINE))
    settings = {name.upper() for name in Settings.model_fields}
    assert listed - COMPOSE_ITSELF - {"OPERATOR_PASSWORD"} == {
        name for name in variables() if name not in settings and not name.startswith("DEMO_")
    }


def test_the_defaults_described_are_those_that_hold() -> None:
    described_ones = dict(re.findall(r"^([A-Z][A-Z0-9_]*)=(.+)$", described(containers=True), re.MULTILINE))
    held = dict(re.findall(r"\$\{([A-Z0-9_]+):-([^}]*)\}", with_certbot()))
    assert {name: value for name, value in described_ones.items() if name not in COMPOSE_ITSELF and held[name] != value} == {}


def test_every_setting_reaches_the_containers() -> None:
    """A setting in .env that no container is given would be believed and not obeyed."""
    given = {name for service in SERVICES.values() for name in service.get("environment", {})}
    assert {name.upper() for name in Settings.model_fields} - given - FIXED == set()


def test_every_secret_is_generated_or_asked_for() -> None:
    demanded = set(re.findall(r"\$\{([A-Z0-9_]+):\?", source()))
    assert demanded - set(GENERATED) == {"BOT_TOKEN", "LLM_STRONG"}
    assert set(without_demands()) <= demanded
