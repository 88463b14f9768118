"""Failed sign-ins, counted in Redis by account and address, so that guessing is slow and locks nobody else out.

An attempt counts as failed before the password is looked at, and no more once it was right: a hundred at the same
moment are no way around. Three counts, each of one window of time:

- of one account at one address: there, nobody tries this account again before the window ends;
- of one address, for all accounts: from there nobody signs in to an account that was never signed in to from there;
- of one account at all addresses: where it was never signed in to from, fewer attempts are left. They are never none.

So whoever hammers an account is stopped where they are, and its owner elsewhere is not; and where the owner has signed
in before, nobody else's failures count but those made at that very address to that very account.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address, ip_network

from redis import Redis
from redis.commands.core import Script
from redis.exceptions import RedisError

from folkmoot import secret
from folkmoot.errors import InvalidRequest, NotSignedIn, TooManyAttempts

#: Failures of one address, over all accounts, for each that one account allows there.
PER_ADDRESS = 10
#: Failures of one account, over all addresses, for each of one address, from which on it counts as attacked.
PER_ACCOUNT = 5
#: By what an unknown address's allowance is divided while an account is attacked.
WARY = 3
#: Seconds that an address counts as one from which somebody signed in.
KNOWN_S = 90 * 86_400

#: Fields in which the account's own password is sent along, beside signing in.
PASSWORD_FIELDS = {"current", "password"}

TOO_MANY = "There were too many failed sign-ins. Try again in {} seconds."

#: Takes one of the attempts that are left: minus the number of counts it is in; or for how many seconds none is left.
#: Keys: pair, address, account, known. Arguments: window_s, what pair, address and account allow, what an attacked
#: account allows to an unknown address, and 1 where only the pair counts.
TAKE = """
local known = ARGV[6] == '1' or redis.call('EXISTS', KEYS[4]) == 1
local function count(key) return tonumber(redis.call('GET', key) or '0') end
local allowed = tonumber(ARGV[2])
if not known then
  if count(KEYS[2]) >= tonumber(ARGV[3]) then return math.max(1, redis.call('TTL', KEYS[2])) end
  if count(KEYS[3]) >= tonumber(ARGV[4]) then allowed = tonumber(ARGV[5]) end
end
if count(KEYS[1]) >= allowed then return math.max(1, redis.call('TTL', KEYS[1])) end
local places = known and 1 or 3
for place = 1, places do
  if redis.call('INCR', KEYS[place]) == 1 then redis.call('EXPIRE', KEYS[place], ARGV[1]) end
end
return -places
"""
#: Gives an attempt back to its counts; one that succeeded clears its pair's, and the address is known from now on.
#: Keys as above. Arguments: in how many counts it is, whether it succeeded, and for how long the address is known.
GIVE_BACK = """
for place = 1, tonumber(ARGV[1]) do
  local count = tonumber(redis.call('GET', KEYS[place]) or '0')
  if count > 1 then redis.call('DECR', KEYS[place]) else redis.call('DEL', KEYS[place]) end
end
if ARGV[2] == '1' then
  redis.call('DEL', KEYS[1])
  redis.call('SET', KEYS[4], '1', 'EX', ARGV[3])
end
return 0
"""

log = logging.getLogger(__name__)


class Attempts:
    """The counts. Without Redis nobody is refused, and nothing is counted."""

    def __init__(self, redis: Redis, *, failures: int, window_s: int) -> None:
        """Allow so many failures of one account at one address within a window; 0 sets no limit at all."""
        self._redis, self._failures, self._window_s = redis, failures, window_s
        self._take, self._give_back = redis.register_script(TAKE), redis.register_script(GIVE_BACK)

    @contextmanager
    def guarded(self, account: str, address: str | None) -> Iterator[None]:
        """Let one attempt be made inside, if any is left; it failed when it raises that the password is wrong.

        Args:
            account: whose password is tried; whether there is such an account makes no difference.
            address: from where; None where only the account's own user can try at all.
        Raises:
            TooManyAttempts: none is left for now.
        """
        if self._failures == 0:
            yield
            return
        keys = _keys(account, address or "-")
        taken = self._taken(keys, only_pair=address is None)
        if taken > 0:
            raise TooManyAttempts(TOO_MANY.format(taken), retry_after_s=taken)
        try:
            yield
        except Exception as error:
            if not _is_failure(error):
                self._tried(self._give_back, keys, [-taken, 0, 0])
            raise
        self._tried(self._give_back, keys, [-taken, 1, KNOWN_S])

    def forget(self, *accounts: str) -> None:
        """Remove all that is kept of accounts that are deleted; what is counted of addresses alone stays."""
        try:
            for account in accounts:
                name = _hashed(account)
                for pattern in (f"folkmoot:attempts:{name}:*", f"folkmoot:known:{name}:*"):
                    for key in self._redis.scan_iter(pattern, count=1000):
                        self._redis.delete(key)
                self._redis.delete(f"folkmoot:attempts:to:{name}")
        except (RedisError, OSError) as error:
            log.warning("sign-ins of a deleted account are known until they expire: %s", error)

    def _taken(self, keys: list[str], *, only_pair: bool) -> int:
        allowed = self._failures
        wary = max(1, allowed // WARY)
        limits = [allowed, allowed * PER_ADDRESS, allowed * PER_ACCOUNT, wary]
        return self._tried(self._take, keys, [self._window_s, *limits, int(only_pair)])

    def _tried(self, script: Script, keys: list[str], arguments: list[int]) -> int:
        try:
            return int(script(keys=keys, args=arguments))
        except (RedisError, OSError) as error:
            log.warning("failed sign-ins are not counted: %s", error)
            return 0


def _is_failure(error: Exception) -> bool:
    return isinstance(error, NotSignedIn) or (
        isinstance(error, InvalidRequest) and not PASSWORD_FIELDS.isdisjoint(error.fields)
    )


def _keys(account: str, address: str) -> list[str]:
    name, place = _hashed(account), _place(address)
    return [
        f"folkmoot:attempts:{name}:{place}",
        f"folkmoot:attempts:at:{place}",
        f"folkmoot:attempts:to:{name}",
        f"folkmoot:known:{name}:{place}",
    ]


def _hashed(account: str) -> str:
    # Hashed: what stands in the place of a name may be a password that was typed into the wrong box.
    return secret.hashed(account.casefold())[:32]


def _place(address: str) -> str:
    """What one person holds of addresses: one of IPv4, or a network of 64 bits of IPv6."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or ip_network((int(found) >> 64 << 64, 64)))
    return str(found)
