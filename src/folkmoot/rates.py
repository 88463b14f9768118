"""How often somebody may ask: one bucket for each, kept in Redis, so that all gateways count together."""

import logging
import math
import threading
from typing import Any

from redis import Redis
from redis.exceptions import NoScriptError, RedisError

from folkmoot.errors import LimitReached

#: A minute in microseconds, in which the script counts.
MINUTE_US = 60_000_000
#: Takes one from the bucket, or says for how many microseconds there is none. What is kept is the moment at which the
#: bucket will be full again (the generic cell rate algorithm); the key expires then.
TAKE = """
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), tonumber(ARGV[1]))
local next_full_at = full_at + tonumber(ARGV[2])
local wait = next_full_at - tonumber(ARGV[1]) - tonumber(ARGV[3])
if wait > 0 then
  return math.ceil(wait)
end
local lasts = math.ceil((next_full_at - tonumber(ARGV[1])) / 1000)
redis.call('SET', KEYS[1], string.format('%.0f', next_full_at), 'PX', lasts)
return 0
"""

#: Seconds for which what was counted ahead may be used; what is left then is lost to its owner.
AHEAD_S = 1.0
#: Names of which something counted ahead is kept.
MOST_AHEAD = 10_000

log = logging.getLogger(__name__)


class Rates:
    """The buckets. Without Redis nobody is refused."""

    def __init__(self, redis: Redis) -> None:
        """Prepare the script; nothing connects before it is used."""
        self._redis = redis
        self._script = redis.register_script(TAKE)
        self._lock = threading.Lock()
        #: Of a name, how many requests were counted ahead, and until when they may be used.
        self._ahead: dict[str, tuple[int, float]] = {}

    def count(self, whose: str, rule: str, *, per_minute: int, now: float, at_once: int = 1) -> None:
        """Count one request, or refuse it.

        Args:
            whose: the bucket's name.
            rule: what to tell whoever is refused, with `{}` where the figure belongs.
            per_minute: see `wait_s`.
            now: seconds since 1970.
            at_once: see `wait_s`.
        Raises:
            LimitReached: the bucket is empty.
        """
        if wait_s := self.wait_s(whose, per_minute=per_minute, now=now, at_once=at_once):
            raise LimitReached(
                f"{rule.format(f'{per_minute:,}')}, and that is reached. Try again in {math.ceil(wait_s)} s.",
                retry_after_s=wait_s,
            )

    def wait_s(self, whose: str, *, per_minute: int, now: float, at_once: int = 1) -> float:
        """Count one request.

        Args:
            whose: the bucket's name.
            per_minute: how many fit into it, and how many are put back in a minute; 0 is no limit.
            now: seconds since 1970.
            at_once: how many this process counts in one call to Redis; those after the first need none for a second.
        Returns:
            0 when the request may go on; else the seconds until one may, and it was not counted.
        """
        if not per_minute:
            return 0
        if at_once > 1 and self._had_ahead(whose, now):
            return 0
        every_us = at_once * MINUTE_US / per_minute
        try:
            wait_us = self._take(_key(whose), round(now * 1e6), f"{every_us:.3f}")
        except (RedisError, OSError) as error:
            log.warning("rates unknown, every request is allowed: %s", error)
            return 0
        if at_once > 1 and not wait_us:
            self._keep_ahead(whose, at_once - 1, now)
        return float(wait_us) / 1e6

    def _take(self, key: str, now_us: int, every_us: str) -> Any:
        try:
            # The script itself takes longer to find out what kind of client it was given than Redis takes to run it.
            return self._redis.evalsha(self._script.sha, 1, key, now_us, every_us, MINUTE_US)
        except NoScriptError:
            return self._script(keys=[key], args=[now_us, every_us, MINUTE_US])

    def _had_ahead(self, whose: str, now: float) -> bool:
        """Use one that was counted ahead, if there is one."""
        with self._lock:
            left, until = self._ahead.get(whose, (0, 0.0))
            if not left or now >= until:
                return False
            self._ahead[whose] = (left - 1, until)
            return True

    def _keep_ahead(self, whose: str, count: int, now: float) -> None:
        with self._lock:
            if len(self._ahead) >= MOST_AHEAD:
                self._ahead.clear()
            self._ahead[whose] = (count, now + AHEAD_S)

    def forget(self, whose: str) -> None:
        """Remove a bucket whose owner has left."""
        try:
            self._redis.delete(_key(whose))
        except (RedisError, OSError) as error:
            log.warning("a bucket stays until it is full again: %s", error)


def _key(whose: str) -> str:
    return f"folkmoot:rate:{whose}"
