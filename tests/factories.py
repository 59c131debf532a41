"""Rows for tests: functions with defaults, overridden by keyword. The database is the test's own."""

from datetime import datetime
from itertools import count
from zoneinfo import ZoneInfo

from domain.roles import Role
from domain.subscribers import fold
from models import Client, Subscriber, User
from services.passwords import hash_password

_serial = count(1)
NOON = datetime(2026, 3, 10, 12, tzinfo=ZoneInfo("Europe/Minsk"))


def make_client(**values) -> Client:
    """A client with an account number of its own."""
    n = next(_serial)
    return Client.create(
        **{
            "name": f"ООО «Клиент {n}»",
            "unp": f"{190000000 + n}",
            "account_no": f"{n:08}",
            "invoice_email": f"bills{n}@example.by",
            "detail_email": f"detail{n}@example.by",
            "created_at": NOON,
            **values,
        }
    )


def make_subscriber(client: Client | None = None, **values) -> Subscriber:
    """A number of `client`, or of a new stranger."""
    n = next(_serial)
    values = {"number": f"37529{n:07}", "full_name": f"SIP-номер {n}", **values}
    return Subscriber.create(
        client=client or make_client(), name_folded=fold(values["full_name"]), **values
    )


def make_user(client: Client | None = None, **values) -> User:
    """Somebody who may sign in: the administrator of `client`, or with an operator's role and no
    client one of the operator's people. Whoever has to type a password gives a `password`.
    """
    role = values.pop("role", Role.CLIENT_ADMINISTRATOR)
    password = values.pop("password", None)
    if client is None and not role.is_operator:
        client = make_client()
    return User.create(
        **{
            "login": f"user{next(_serial)}",
            "password_hash": hash_password(password) if password else "",
            "role": role,
            "client": client,
            "created_at": NOON,
            **values,
        }
    )
