"""Money that clients have paid: put down by hand, or read from a bank's statement. One payment
order is one payment, however often and in whichever way it is told. Nothing is changed
afterwards: what was wrong is corrected by a payment of the opposite sign.
"""

import hashlib
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from peewee import fn

from domain.accounts import check_detail
from domain.billing.methods import METHODS, TRANSFER
from domain.billing.statement import Statement, StatementLine, read_statement
from domain.errors import AlreadyExists, InvalidValue
from domain.tables import Mistake
from models import Client, db
from models_billing import Invoice, Payment
from services import audit, bulk, clock, queue, told_payments
from services.audit import AuditEventKind, By
from services.transactions import lock_client, lock_clients, read_tx, write_tx

CHUNK = 500  # values in one IN (…)
COLUMNS = (  # as `_insert_new` fills them
    *("client_id", "paid_on", "amount", "document_no", "document_on", "method"),
    *("purpose", "key", "created_at", "user_id"),
)


class StatementRefused(InvalidValue):
    """A statement with mistakes in it: nothing was stored. `mistakes` names each with its line."""

    code = "statement_refused"

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__(f"{len(mistakes)} mistakes", what="statement", value=len(mistakes))
        self.mistakes = mistakes


class Stray(NamedTuple):
    """A line whose payer is nobody, or several. `why`: a code of `texts.STRAY_LINES`."""

    line: StatementLine
    why: str


@dataclass
class Imported:
    """What a statement brought."""

    taken: list[tuple[Client, StatementLine]] = field(default_factory=list)
    repeated: list[tuple[Client, StatementLine]] = field(default_factory=list)  # are payments
    stray: list[Stray] = field(default_factory=list)
    outgoing: int = 0
    awaited: int = 0  # of those taken: clients had told of them

    @property
    def total(self) -> int:
        """Kopecks of what was taken."""
        return sum(line.amount for _client, line in self.taken)


@dataclass(frozen=True)
class Balance:
    """What a client owes: kopecks, less than nothing when it has paid ahead."""

    closing: int  # of the last document
    paid_since: int  # on no invoice yet

    @property
    def owed(self) -> int:
        """By now."""
        return self.closing - self.paid_since


def add(  # noqa: PLR0913 - a payment is told so much
    client: Client,
    amount: int,
    *,
    paid_on: date,
    document_no: str = "",
    document_on: date | None = None,
    method: str = TRANSFER,
    purpose: str = "",
    once: str = "",
    by: By,
) -> Payment:
    """Put a payment down: `amount` kopecks, less than nothing for what is given back. `once` names
    a form that was sent, so that a second click adds nothing.

    Raises `InvalidValue` for a day to come, no sum or an unknown method, `AlreadyExists` when it is
    there already.
    """
    today = clock.local(by.now).date()
    if not amount:
        raise InvalidValue("nothing was paid", what="amount", value=amount)
    if paid_on > today:
        raise InvalidValue("a day to come", what="date", value=paid_on)
    if document_on and document_on > today:
        raise InvalidValue("a day to come", what="date of the document", value=document_on)
    if method not in METHODS:
        raise InvalidValue("no way of payment", what="method", value=method)
    document_no, purpose = check_detail(document_no), check_detail(purpose)
    key = f"form:{once or secrets.token_hex(16)}"
    if document_no:
        key = _key(client, paid_on, amount, document_no)
    document = {"document_no": document_no, "document_on": document_on, "method": method}
    values = {**document, "purpose": purpose, "key": key}
    with write_tx():
        lock_client(client)
        if not _insert(by, client=client, paid_on=paid_on, amount=amount, **values):
            raise AlreadyExists(what="payment", name=document_no or f"{paid_on:%d.%m.%Y}")
        payment = Payment.of(client).where(Payment.key == key).get()
        subject = f"payment:{payment.id}"
        audit.record_by(AuditEventKind.PAYMENT_ADDED, by, client=client, subject=subject)
        found = told_payments.note_arrivals([payment], by=by)
    if found:
        queue.hint_notices()
    return payment


def import_statement(
    content: bytes,
    *,
    dry_run: bool = False,
    subject: str = "",
    on_taken: Callable[[Imported], None] = lambda _told: None,
    by: By,
) -> Imported:
    """Take the payments of a bank's statement; a dry run only tells. Safe to repeat. `subject`: the
    row that the audit names, "<table>:<id>"; `on_taken` writes in the same transaction.

    Raises `StatementRefused` and `InvalidValue` for a file that cannot be read whole.
    """
    statement = read_statement(content)
    today = clock.local(by.now).date()
    days = [(row.line, max(row.paid_on, row.document_on or today)) for row in statement.lines]
    mistakes = [
        Mistake(line, "day_to_come", f"{day:%d.%m.%Y}") for line, day in days if day > today
    ]
    if mistakes := [*statement.mistakes, *mistakes]:
        raise StatementRefused(mistakes)
    told, fresh = _sorted(statement, Imported(outgoing=statement.outgoing))
    if dry_run:
        told.taken = [(client, line) for client, line, _key in fresh]
        return told
    with write_tx():
        lock_clients({client.id for client, _line, _key in fresh})
        came = _insert_new(fresh, told, by)
        if told.taken:
            count = len(told.taken)
            kind = AuditEventKind.PAYMENTS_IMPORTED
            audit.record_by(kind, by, client=None, subject=subject, payments=count)
        waiting = told_payments.clients_waiting({client.id for client, _line in told.taken})
        awaited = [key for client_id, key in came if client_id in waiting]
        told.awaited = told_payments.note_arrivals(_with_keys(awaited), by=by)
        on_taken(told)
    if told.awaited:
        queue.hint_notices()
    return told


def of_client(client: Client, limit: int = 100) -> list[Payment]:
    """A client's payments, the latest first."""
    query = Payment.of(client).order_by(Payment.paid_on.desc(), Payment.id.desc())
    return list(query.limit(limit))


def balance(client: Client) -> Balance:
    """What a client owes by its documents and its payments since."""
    with read_tx():  # a bill formed in between has taken the payments
        last = Invoice.of(client).order_by(Invoice.id.desc()).first()
        since = Payment.of(client, fn.SUM(Payment.amount)).where(Payment.invoice_id.is_null())
        return Balance(last.closing if last else 0, int(since.scalar() or 0))


# --- Lines and rows -------------------------------------------------------------------------------


def _sorted(
    statement: Statement, told: Imported
) -> tuple[Imported, list[tuple[Client, StatementLine, str]]]:
    """Lines that are new, with their clients and keys; the others are counted."""
    payers = _Payers(statement.lines)
    found: dict[str, tuple[Client, StatementLine, str]] = {}
    for line in statement.lines:
        client = payers.find(line)
        if client is None:
            told.stray.append(Stray(line, payers.why_not(line)))
            continue
        number = line.document_no
        text = number or f"{line.payer}|{line.purpose}"
        key = _key(client, line.paid_on, line.amount, text)
        if key in found:
            told.repeated.append((client, line))
        found.setdefault(key, (client, line, key))
    stored = _stored(list(found))
    told.repeated += [found[key][:2] for key in found if key in stored]
    told.repeated.sort(key=_place)
    return told, [row for key, row in found.items() if key not in stored]


def _place(row: tuple[Client, StatementLine]) -> int:
    return row[1].line


class _Payers:
    """Whose a line of a statement is: by the account number it names, else by the УНП when one
    client has it.
    """

    def __init__(self, lines: Iterable[StatementLine]) -> None:
        self._by_account: dict[str, Client] = {}
        self._by_unp: defaultdict[str, list[Client]] = defaultdict(list)
        for chunk in _chunks({line.account for line in lines} - {""}):
            for client in Client.select().where(Client.account_no.in_(chunk)):
                self._by_account[client.account_no] = client
        for chunk in _chunks({line.unp for line in lines} - {""}):
            for client in Client.select().where(Client.unp.in_(chunk)):
                self._by_unp[client.unp].append(client)

    def find(self, line: StatementLine) -> Client | None:
        """None when nobody is meant, or several may be."""
        if line.account in self._by_account:
            return self._by_account[line.account]
        same = self._by_unp.get(line.unp, [])
        return same[0] if len(same) == 1 else None

    def why_not(self, line: StatementLine) -> str:
        """Why `find` gives nobody."""
        if self._by_unp.get(line.unp):
            return "several_with_unp"
        if line.account and line.unp:
            return "no_such_client"
        if line.account or line.unp:
            return "no_such_account" if line.account else "no_such_unp"
        return "nobody_named"


def _key(client: Client, day: date, amount: int, text: str) -> str:
    """One payment order, one key: a client's number is used once for a sum and a day."""
    told = f"{client.id}|{day.isoformat()}|{amount}|{' '.join(text.split()).casefold()}"
    return hashlib.sha256(told.encode()).hexdigest()


def _stored(keys: list[str]) -> set[str]:
    found: set[str] = set()
    for chunk in _chunks(keys):
        rows = Payment.across_clients(Payment.key).where(Payment.key.in_(chunk))
        found.update(key for (key,) in rows.tuples())
    return found


def _insert_new(
    fresh: list[tuple[Client, StatementLine, str]], told: Imported, by: By
) -> list[tuple[int, str]]:
    """Store those that nobody else has stored by now; client and key of each."""
    stored = _stored([key for _client, _line, key in fresh])
    rows = []
    for client, line, key in fresh:
        if key in stored:
            told.repeated.append((client, line))
            continue
        told.taken.append((client, line))
        rows.append((client.id, *_written(line), line.purpose or line.payer, key))
    common = (Payment.created_at.db_value(by.now), by.user and by.user.id)
    bulk.insert_rows(db.obj, Payment, COLUMNS, ((*row, *common) for row in rows))
    return [(row[0], row[-1]) for row in rows]


def _written(line: StatementLine) -> tuple[object, ...]:
    document_on = line.document_on and line.document_on.isoformat()
    return line.paid_on.isoformat(), line.amount, line.document_no, document_on, line.method


def _with_keys(keys: list[str]) -> list[Payment]:
    return [
        row
        for chunk in _chunks(keys)
        for row in Payment.across_clients().where(Payment.key.in_(chunk))
    ]


def _insert(by: By, **values: object) -> bool:
    """Store a payment unless it is there."""
    row = Payment.insert(**values, created_at=by.now, user=by.user)
    return bool(row.on_conflict_ignore().as_rowcount().execute())


def _chunks(values: Iterable[str]) -> Iterable[list[str]]:
    ordered = sorted(values)
    return (ordered[n : n + CHUNK] for n in range(0, len(ordered), CHUNK))
