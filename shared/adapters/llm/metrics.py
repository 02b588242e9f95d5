"""What the pool counts. `model` is always `provider:model`, as in settings and logs."""

from prometheus_client import Counter, Gauge, Histogram

_FIRST = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120)
_ADDED = (0.005, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 60)

MODEL_CALLS = Counter("vitte_model_calls_total", "Calls of a model", ["provider", "model", "outcome"])
MODEL_TOKENS = Counter(
    "vitte_model_tokens_total", "Tokens as billed by the provider, estimated where a reply broke off", ["provider", "model", "kind"]
)
MODEL_COST = Counter("vitte_model_cost_micros_total", "Millionths of a US dollar", ["model"])
FIRST_TOKEN = Histogram("vitte_model_first_token_seconds", "From the call to its first text", ["model"], buckets=_FIRST)
FAILOVERS = Counter("vitte_model_failovers_total", "Replies that moved on to another model", ["from_model", "to_model", "reason"])
FAILOVER_ADDED = Histogram("vitte_model_failover_added_seconds", "What moving on cost a reply before its first text", buckets=_ADDED)
BREAKER_STATE = Gauge("vitte_breaker_state", "0 closed, 1 half open, 2 open", ["model"])
PLACE = Gauge("vitte_model_place", "Where a model stands in the list of its tier; 1 is asked first", ["tier", "model"])
BREAKER_OPENINGS = Counter("vitte_breaker_openings_total", "Times a closed breaker opened, by what the model did", ["model", "reason"])
BREAKER_PROBES = Counter("vitte_breaker_probes_total", "Probes of models that were shut: ok or what went wrong", ["model", "outcome"])
SUSPICIONS = Counter("vitte_model_suspicions_total", "Times a model seemed to have fallen silent, by what came of it", ["model", "outcome"])
HEDGES = Counter(
    "vitte_model_hedges_total",
    "Replies for which a second model was asked at the same time, by why and by the winner",
    ["reason", "winner"],
)
