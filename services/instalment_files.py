"""Many instalment plans at once, from a file: all of them or none. One plan: `instalments.py`."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from domain.billing.instalment_file import PlanLine, read_plans
from domain.errors import InvalidValue, NotFound
from domain.tables import Mistake
from models import Client, Subscriber, db
from models_billing import Instalment, InstalmentPlan
from services import bulk, instalments, subscribers
from services.audit import By
from services.instalments import Purchase
from services.transactions import lock_clients, write_tx

CHUNK = 500  # values in one IN (…)
PART_COLUMNS = ("plan_id", "ordinal", "due_on", "amount")
# What `instalments.checked` refuses, as a code of `texts.INSTALMENT_MISTAKES`.
REFUSED = {
    "months": "months",
    "first payment": "first_payment",
    "first day": "no_date",
    "name (one line)": "not_one_line",
}


class PlansRefused(InvalidValue):
    """A file with mistakes in it: nothing was stored. `mistakes` names each with its line."""

    code = "instalments_refused"

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__(f"{len(mistakes)} mistakes", what="file", value=len(mistakes))
        self.mistakes = mistakes


@dataclass
class Imported:
    """What a file brought: new plans, and how many lines tell of plans that are known."""

    added: list[tuple[Client, Purchase]] = field(default_factory=list)
    known: int = 0


def take(content: bytes, *, dry_run: bool = False, by: By) -> Imported:
    """Put the plans of a file down; a dry run only tells. Safe to repeat: a contract of a client is
    one plan, and one that is there stays as it is.

    Raises `PlansRefused`, and `InvalidValue` for a file that cannot be read whole.
    """
    file = read_plans(content)
    mistakes, found, repeated = list(file.mistakes), {}, 0
    clients = _clients({line.account for line in file.lines})
    first_told: dict[tuple[int, str], PlanLine] = {}
    for line in file.lines:
        try:
            client, purchase = _plan(line, clients)
        except _Wrong as wrong:
            mistakes.append(Mistake(line.line, wrong.code, wrong.value))
            continue
        key = client.id, instalments.one_line(purchase.contract_no)
        before = first_told.setdefault(key, line)
        if before._replace(line=0) != line._replace(line=0):
            mistakes.append(Mistake(line.line, "contradiction", str(before.line)))
        repeated += key in found
        found.setdefault(key, (client, purchase))
    if mistakes:
        raise PlansRefused(sorted(mistakes))
    with write_tx():
        lock_clients({client_id for client_id, _contract in found})
        stored = _stored({client_id for client_id, _contract in found})
        over = {key: day for key, day in stored.items() if day is not None and key in found}
        if over:
            raise PlansRefused(
                sorted(
                    Mistake(first_told[key].line, "ended", f"{over[key]:%d.%m.%Y}") for key in over
                )
            )
        told = Imported([pair for key, pair in found.items() if key not in stored], repeated)
        told.known += len(found) - len(told.added)
        if not dry_run:
            _store(told.added, by)
    return told


class _Wrong(Exception):
    def __init__(self, code: str, value: str) -> None:
        super().__init__(code)
        self.code, self.value = code, value


def _plan(line: PlanLine, clients: dict[str, Client]) -> tuple[Client, Purchase]:
    client = clients.get(line.account)
    if client is None:
        raise _Wrong("no_account", line.account)
    purchase = Purchase(
        contract_no=line.contract,
        goods=line.goods,
        serial_no=line.serial,
        price=line.price,
        first_payment=line.first,
        months=line.months,
        starts_on=line.start,
        payer=line.payer,
        subscriber=_subscriber(client, line.number),
    )
    try:
        instalments.checked(purchase)
    except InvalidValue as error:
        code = REFUSED.get(str(error.values["what"]), "not_one_line")
        raise _Wrong(code, str(error.values["value"])) from error
    return client, purchase


def _subscriber(client: Client, number: str) -> Subscriber | None:
    try:
        return subscribers.find_subscriber(client, number) if number else None
    except (InvalidValue, NotFound):
        raise _Wrong("no_number", number) from None


def _clients(accounts: Iterable[str]) -> dict[str, Client]:
    return {
        client.account_no: client
        for chunk in _chunks(accounts)
        for client in Client.select().where(Client.account_no.in_(chunk))
    }


def _stored(clients: Iterable[int]) -> dict[tuple[int, str], date | None]:
    """When the plans of these clients ended, by client and contract."""
    columns = InstalmentPlan.client, InstalmentPlan.contract_no, InstalmentPlan.closed_on
    return {
        (client, instalments.one_line(contract)): closed_on
        for chunk in _chunks(clients)
        for client, contract, closed_on in InstalmentPlan.across_clients(*columns)
        .where(InstalmentPlan.client.in_(chunk))
        .tuples()
    }


def _store(added: list[tuple[Client, Purchase]], by: By) -> None:
    rows = []
    for client, purchase in added:
        plan = InstalmentPlan.create(
            client=client, created_at=by.now, **instalments.checked(purchase)
        )
        parts = enumerate(instalments.schedule(purchase), 1)
        rows += [(plan.id, n, day.isoformat(), amount) for n, (day, amount) in parts]
        instalments.note_added(plan, by)
    bulk.insert_rows(db.obj, Instalment, PART_COLUMNS, rows)


def _chunks(values: Iterable[Any]) -> Iterable[list[Any]]:
    ordered = sorted(values)
    return (ordered[n : n + CHUNK] for n in range(0, len(ordered), CHUNK))
