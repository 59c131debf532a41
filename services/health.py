"""Whether the cabinet can do its work: what is missing for it, and what is risky. For machines and
for the operator's people; nothing here tells anything about a client.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from peewee import PeeweeException
from redis import Redis
from redis.exceptions import RedisError
from rq import Worker

from config import Config
from models import db
from services import database, demo

HEARTBEAT_WITHIN = timedelta(seconds=120)  # a worker that lives beats at least once a minute
REDIS_TIMEOUT_S = 1


@dataclass(frozen=True)
class Readiness:
    """What keeps orders from being carried out (`missing`), and what may lose work (`degraded`)."""

    missing: tuple[str, ...]
    degraded: tuple[str, ...]

    @property
    def is_ready(self) -> bool:
        """Whether an order placed now will be carried out."""
        return not self.missing


def database_answers() -> bool:
    """Whether the database takes a query."""
    try:
        db.execute_sql("SELECT 1")
    except PeeweeException:
        return False
    return True


def readiness(config: Config, *, now: datetime) -> Readiness:
    """Look at everything an order needs."""
    missing = _missing_data(config)
    degraded: list[str] = []
    try:
        with Redis.from_url(
            config.redis_url,
            socket_timeout=REDIS_TIMEOUT_S,
            socket_connect_timeout=REDIS_TIMEOUT_S,
            retry=None,
        ) as connection:
            degraded += _redis_risks(connection)
            if not _live_workers(connection, now=now):
                missing.append("no worker is up")
    except (RedisError, OSError) as error:
        missing.append(f"Redis does not answer ({type(error).__name__})")
    return Readiness(tuple(missing), tuple(degraded))


def _missing_data(config: Config) -> list[str]:
    if not database_answers():
        return ["the database does not answer"]
    if not database.is_up_to_date():
        return ["migrations have not been applied: flask db upgrade"]
    if config.DEMO and not demo.is_loaded():
        return ["the demo is not loaded: flask demo"]
    return []


def _live_workers(connection: Redis, *, now: datetime) -> int:
    beats = (worker.last_heartbeat for worker in Worker.all(connection=connection))
    return sum(1 for beat in beats if beat and now - _aware(beat) < HEARTBEAT_WITHIN)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _redis_risks(connection: Redis) -> list[str]:
    """What in the server's settings may lose waiting work. The orders table would bring it back."""
    risks = []
    policy = connection.info("memory").get("maxmemory_policy")
    if policy != "noeviction":
        risks.append(f"Redis may drop waiting jobs: maxmemory-policy is {policy}, not noeviction")
    if not connection.info("persistence").get("aof_enabled"):
        risks.append("Redis forgets waiting jobs when it is restarted: appendonly is off")
    return risks
