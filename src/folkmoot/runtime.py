"""What a process holds for its whole life: settings, roster, and the clients of database, Redis, broker and models."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from redis import Redis

from folkmoot import redis_client
from folkmoot.agents import Roster, load_roster
from folkmoot.db import Database
from folkmoot.dispatch import Publisher, make_app
from folkmoot.events import Events
from folkmoot.failpoints import Failpoints
from folkmoot.health import Health
from folkmoot.llm import Provider
from folkmoot.prices import Prices, load_prices
from folkmoot.rates import Rates
from folkmoot.settings import Settings
from folkmoot.tallies import Tallies


@dataclass(frozen=True)
class Runtime:
    """The collaborators of every step of a query."""

    settings: Settings
    roster: Roster
    db: Database
    redis: Redis
    events: Events
    health: Health
    rates: Rates
    tallies: Tallies
    prices: Prices
    provider: Provider
    publisher: Publisher
    failpoints: Failpoints

    def hint_due(self, now: datetime) -> datetime:
        """When a hint that is published now is to be sent again if nobody has taken it."""
        return now + timedelta(seconds=self.settings.resend_s)

    def lease_until(self, now: datetime) -> datetime:
        """When a claim that is made or renewed now runs out."""
        return now + timedelta(seconds=self.settings.lease_s)

    def close(self) -> None:
        """Give back every connection and end the models' thread."""
        self.provider.close()
        self.publisher.close()
        self.tallies.close()
        self.redis.close()
        self.db.close()


def build(settings: Settings) -> Runtime:
    """Build the collaborators; nothing connects before it is used.

    Raises:
        SettingsError: the roster or the price table is wrong.
    """
    roster = load_roster(settings)
    failpoints = Failpoints(settings.failpoints)
    redis = redis_client.connect(settings.redis)
    return Runtime(
        settings=settings,
        roster=roster,
        db=Database(settings.database_url, failpoints),
        redis=redis,
        events=Events(redis, ttl_s=settings.events_ttl_s),
        health=Health(redis, settings),
        rates=Rates(redis),
        tallies=Tallies(redis),
        prices=load_prices(settings, roster),
        provider=Provider(),
        publisher=Publisher(make_app(settings), failpoints, has_events=settings.has_one_redis),
        failpoints=failpoints,
    )


def utcnow() -> datetime:
    """The time of every row and deadline: aware, UTC."""
    return datetime.now(UTC)


def seconds_until(moment: datetime) -> float:
    """The time left until a deadline; negative when it has passed."""
    return (moment - utcnow()).total_seconds()
