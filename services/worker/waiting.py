"""Waiting for the broker, which may start after us."""

import time

import structlog
from redis import Redis
from redis.exceptions import RedisError

log = structlog.get_logger("worker")


def wait_for_broker(url: str) -> None:
    """Returns when Redis answers; tries with growing pauses of at most five seconds."""
    pause = 0.2
    client = Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2)
    try:
        while not _answers(client):
            log.info("waiting_for_redis", next_try_seconds=pause)
            time.sleep(pause)
            pause = min(pause * 2, 5.0)
    finally:
        client.close()


def _answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except (RedisError, OSError):
        return False
