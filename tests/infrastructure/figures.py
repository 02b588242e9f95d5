"""Which figures there are: those that our code counts, by asking its registry, and those of exporters that rules and dashboards use."""

import importlib
import pkgutil
import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from prometheus_client import REGISTRY

import services.admin
import services.api
import services.bot
import services.worker
import shared
from scripts.compose.figures import BACKUP

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "infrastructure" / "prometheus"
RULES = sorted((PROMETHEUS / "rules").glob("*.yml"))

# As their documentation names them; `make compose-smoke` asks the real ones.
OF_OTHERS = frozenset(
    re.findall(
        r"\w+",
        """
    ALERTS up
    prometheus_notifications_errors_total prometheus_rule_evaluation_failures_total alertmanager_notifications_failed_total
    nginx_up nginx_connections_active nginx_connections_waiting nginx_http_requests_total
    pg_up pg_stat_activity_count pg_stat_activity_max_tx_duration pg_settings_max_connections pg_database_size_bytes pg_locks_count
    pg_stat_database_xact_commit pg_stat_database_xact_rollback pg_stat_database_blks_hit pg_stat_database_blks_read
    pg_stat_database_deadlocks
    redis_up redis_key_size redis_memory_used_bytes redis_memory_max_bytes redis_evicted_keys_total redis_commands_processed_total
    redis_connected_clients redis_blocked_clients redis_keyspace_hits_total redis_keyspace_misses_total
    redis_aof_last_write_status redis_aof_last_bgrewrite_status
    node_filesystem_avail_bytes node_filesystem_size_bytes node_memory_MemAvailable_bytes node_memory_MemTotal_bytes
    node_timex_offset_seconds node_timex_maxerror_seconds node_load1 node_vmstat_oom_kill
    """,
    )
) | {name for name, _ in BACKUP}

_WORDS = frozenset({"and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring", "group_left", "group_right"})
_CLAUSE = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_ENDINGS = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"], "info": ["_info"], "gauge": [""]}


@cache
def counted_by_us() -> dict[str, frozenset[str]]:
    """The names of our series, each with its labels."""
    for package in (shared, services.bot, services.api, services.worker, services.admin):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    found = {}
    for collector in set(REGISTRY._collector_to_names):
        labels = frozenset(getattr(collector, "_labelnames", ()))
        for family in collector.collect():
            found |= {family.name + ending: labels for ending in _ENDINGS[family.type]}
    return found


def rules() -> list[dict[str, Any]]:
    groups = [group for file in RULES for group in yaml.safe_load(file.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def recorded() -> frozenset[str]:
    return frozenset(rule["record"] for rule in rules() if "record" in rule)


def named_in(query: str) -> set[str]:
    """The series that a PromQL query reads."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", query)
    bare = _CLAUSE.sub(" ", re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", bare))
    words = re.finditer(r"(?<![\w.:$])([a-zA-Z_:][\w:]*)(\s*\()?", bare)
    return {word[1] for word in words if not word[2] and word[1] not in _WORDS}


def labels_in(query: str) -> set[str]:
    """The labels by which a query groups and chooses."""
    chosen = re.findall(r"[{,]\s*(\w+)\s*(?:=~|!~|!=|=)", query)
    return {label.strip() for clause in _CLAUSE.finditer(query) for label in clause[2].split(",") if label.strip()} | set(chosen)
