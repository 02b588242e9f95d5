"""What the replicas know together about models: one hash per model in Redis, changed by scripts that run as one step."""

import asyncio
from collections.abc import Sequence

from redis.asyncio import Redis

from shared.adapters.llm.breaker import BreakerRule, News, SharedState
from shared.adapters.redis import answering

_KEY = "vitte:breaker:"

# Times are Redis's own, in milliseconds: the clocks of replicas need not agree. `until` 0 is closed; one that has passed is half open.
_TELL = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local answer = {}
for i, key in ipairs(KEYS) do
  local at = (i - 1) * 12
  local function told(n) return tonumber(ARGV[at + n]) end
  local calls, failed, row, success, opened, closed = told(1), told(2), told(3), told(4), told(5), told(6)
  local most, open_for, rate, rate_calls, window, probe_ended = told(7), told(8), told(9), told(10), told(11), told(12)
  if calls + failed + opened + closed + success + probe_ended > 0 then
    if closed == 1 then redis.call('DEL', key) end
    if success == 1 then redis.call('HSET', key, 'failures', row) elseif row > 0 then redis.call('HINCRBY', key, 'failures', row) end
    if probe_ended == 1 then redis.call('HDEL', key, 'probe') end
    local bucket = math.floor(now * 6 / window)
    if calls > 0 then redis.call('HINCRBY', key, 'c' .. bucket, calls) end
    if failed > 0 then redis.call('HINCRBY', key, 'f' .. bucket, failed) end
    local all, bad = 0, 0
    local fields = redis.call('HGETALL', key)
    for n = 1, #fields, 2 do
      local kind, number = string.match(fields[n], '^([cf])(%d+)$')
      if kind then
        if tonumber(number) <= bucket - 6 then redis.call('HDEL', key, fields[n])
        elseif kind == 'c' then all = all + fields[n + 1] else bad = bad + fields[n + 1] end
      end
    end
    local until_ = tonumber(redis.call('HGET', key, 'until') or '0')
    local failures = tonumber(redis.call('HGET', key, 'failures') or '0')
    if opened > 0 then
      until_ = math.max(until_, now + opened)
      redis.call('HSET', key, 'until', until_)
    elseif until_ == 0 and failed > 0 and (failures >= most or (all >= rate_calls and bad >= rate * all)) then
      redis.call('HSET', key, 'until', now + open_for)
    end
    redis.call('EXPIRE', key, 900)
  end
  local seen = redis.call('HMGET', key, 'failures', 'until', 'probe')
  local until_ = tonumber(seen[2] or '0')
  answer[#answer + 1] = tonumber(seen[1] or '0')
  answer[#answer + 1] = until_ == 0 and -1 or math.max(0, until_ - now)
  answer[#answer + 1] = math.max(0, tonumber(seen[3] or '0') - now)
end
return answer
"""
_CLAIM = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local seen = redis.call('HMGET', KEYS[1], 'until', 'probe')
if not seen[1] or now < tonumber(seen[2] or '0') or (ARGV[2] == '0' and now < tonumber(seen[1])) then return 0 end
redis.call('HSET', KEYS[1], 'probe', now + tonumber(ARGV[1]))
return 1
"""


class RedisBreakerStore:
    """Every method raises `RedisUnavailableError`. Nobody waits for `tell`; a reply may wait for `claim`, so that has a few ms."""

    def __init__(self, client: Redis, *, timeout: float = 0.5, claim_timeout: float = 0.05) -> None:
        self._tell, self._claim = client.register_script(_TELL), client.register_script(_CLAIM)
        self._timeout, self._claim_timeout = timeout, claim_timeout

    async def tell(self, news: Sequence[tuple[str, BreakerRule, News, float]]) -> list[SharedState]:
        """Of each model its name, rule, news and for how many seconds from now it is open. Answers what all know, in one round trip."""
        keys = [f"{_KEY}{name}" for name, *_ in news]
        arguments = [argument for _, rule, one, seconds in news for argument in _arguments(rule, one, seconds)]
        with answering():
            async with asyncio.timeout(self._timeout):
                found = await self._tell(keys=keys, args=arguments)
        return [_state(*found[at : at + 3]) for at in range(0, len(found), 3)]

    async def claim(self, name: str, seconds: float, *, early: bool) -> bool:
        """The one probe of a half-open breaker, or `early` of an open one, among all replicas."""
        with answering():
            async with asyncio.timeout(self._claim_timeout):
                return bool(await self._claim(keys=[f"{_KEY}{name}"], args=[_ms(seconds), int(early)]))


def _arguments(rule: BreakerRule, news: News, open_seconds: float) -> list[int | float]:
    happened = [news.calls, news.failures, news.in_a_row, int(news.had_success), _ms(open_seconds), int(news.closed)]
    rules = [rule.failures, _ms(rule.open_seconds), rule.error_rate, rule.rate_calls, _ms(rule.window), int(news.probe_ended)]
    return [*happened, *rules]


def _state(failures: int, open_ms: int, probe_ms: int) -> SharedState:
    return SharedState(failures=failures, open_seconds=None if open_ms < 0 else open_ms / 1000, probe_seconds=probe_ms / 1000)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
