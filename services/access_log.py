"""«Журнал доступа»: what the audit trail holds about one client, page by page, as rows that name
orders, people and numbers of that client and nothing of anybody else's.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from peewee import JOIN, ModelSelect

from models import AuditEvent, Client, Order, Subscriber, User
from models_billing import Invoice
from services.audit import AuditEventKind

OPERATOR = "operator"  # the name of all the operator's people in the filter
NAMED = {"order": Order, "customer_order": Order, "invoice": Invoice, "subscriber": Subscriber}


@dataclass(frozen=True)
class Wanted:
    """What the log is narrowed to: "" or a user's id or `OPERATOR`, and a range of moments."""

    who: str = ""
    since: datetime | None = None
    until: datetime | None = None  # not included


@dataclass(frozen=True)
class Entry:
    """One line: who did what when, from where, and to which of the client's rows."""

    at: datetime
    event: str
    user: User | None
    ip: str
    subject: Order | Invoice | Subscriber | User | None
    reason: str = ""  # why one of the operator's people looked


@dataclass(frozen=True)
class LogPage:
    """One page of the log, newest first."""

    entries: list[Entry]
    number: int
    pages: int
    found: int


def find_page(client: Client, wanted: Wanted, number: int, *, size: int) -> LogPage:
    """Lines about `client` that are wanted; a page that is not there is the last."""
    query = _query(client, wanted)
    found = query.count()
    pages = max(1, -(-found // size))
    number = min(max(1, number), pages)
    with_users = query.select(AuditEvent, User).join(
        User, JOIN.LEFT_OUTER, on=(AuditEvent.user == User.id)
    )
    order = (AuditEvent.at.desc(), AuditEvent.id.desc())
    rows = list(with_users.order_by(*order).paginate(number, size))
    subjects = _subjects(client, rows)
    entries = [
        Entry(row.at, row.event, row.user, row.ip, subjects.get(row.subject), _reason(row))
        for row in rows
    ]
    return LogPage(entries, number, pages, found)


def _reason(row: AuditEvent) -> str:
    return row.detail.get("reason", "") if row.event == AuditEventKind.CLIENT_VIEWED else ""


def people(client: Client) -> list[User]:
    """Whom the log can be narrowed to."""
    return list(User.of(client).order_by(User.login))


def _query(client: Client, wanted: Wanted) -> ModelSelect:
    query = AuditEvent.select().where(AuditEvent.client == client)
    if wanted.who == OPERATOR:
        own = User.of(client, User.id)
        query = query.where(AuditEvent.user.is_null(is_null=False), AuditEvent.user.not_in(own))
    elif wanted.who:
        query = query.where(AuditEvent.user == int(wanted.who))
    if wanted.since is not None:
        query = query.where(AuditEvent.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(AuditEvent.at < wanted.until)
    return query


def _subjects(client: Client, rows: Iterable[AuditEvent]) -> dict[str, object]:
    """The client's own rows by how events name them; of others nothing is found."""
    asked: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        table, _, number = row.subject.partition(":")
        if number.isdecimal():
            asked[table].add(int(number))
    found: dict[str, object] = {}
    for table, model in {**NAMED, "user": User}.items():
        if ids := asked.get(table):
            for row in model.of(client).where(model.id.in_(ids)):
                found[f"{table}:{row.id}"] = row
    return found
