"""Doing without the price of calls that have none: by group or call by call, with a reason, and
taking that back. A waived call costs nothing, whoever prices it again.

What changes calls waits for nobody: `ImportsBusy` while records are read in or invoices formed.
"""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from datetime import date, datetime

from flask import current_app
from peewee import ModelSelect, Tuple

from domain.errors import InvalidValue, NothingSelected, OnInvoice
from domain.rating.states import CallRating
from models import Call, Client, Subscriber, User, db
from models_billing import Invoice, WaivedCall, Waiver
from services import audit, bulk, import_turns, rating, unrated, usage
from services.audit import AuditEventKind
from services.rating import KEY, WAIVED
from services.transactions import write_tx
from services.unrated import Group

BATCH = 2_000  # calls in one transaction
LONGEST_REASON = 200
CHUNK = 500  # values in one IN (…)
CallKey = tuple[int, int, int]  # subscriber, start, seq
Months = AbstractSet[tuple[date, int]]  # with the import that has stored a call
# All but the legs, which are most of a row.
COLUMNS = tuple(each for each in Call._meta.sorted_fields if each.name != "legs")
_LATER = (None,) * 5  # by the run over the month that follows


def waive(
    group: Group,
    reason: str,
    *,
    only: Sequence[CallKey] | None = None,
    user: User | None = None,
    ip: str = "",
    now: datetime,
) -> Waiver:
    """Do without the price of the calls of a group, or of `only` these of it.

    Raises `InvalidValue` without a reason, `NothingSelected` when no such call is left, `OnInvoice`
    when one stands on an invoice, `ImportsBusy`.
    """
    reason = " ".join(reason.split())
    if not 0 < len(reason) <= LONGEST_REASON:
        raise InvalidValue("a waiver has a reason", what="reason", value=reason)
    with _turn():
        calls = Call.select(*COLUMNS).where(unrated.calls_of(group))
        batches = _batches(calls) if only is None else _those(calls, only)
        count, months = _looked_at(calls) if only is None else _looked_at_rows(batches)
        if not count:
            raise NothingSelected
        _check_open(group.client, months)
        return _waive(group, batches, count, reason, user=user, ip=ip, now=now)


def _waive(
    group: Group,
    batches: Iterable[Sequence[Call]],
    count: int,
    reason: str,
    *,
    user: User | None,
    ip: str,
    now: datetime,
) -> Waiver:
    """Batch by batch: whatever dies in between leaves a waiver of the calls that it has waived."""
    waiver = None
    for batch in batches:
        seconds = sum(call.billable_s for call in batch)
        with write_tx():
            if waiver is None:
                waiver = Waiver.create(
                    client=group.client, month=group.month, reason=reason, user=user, at=now
                )
                kind = AuditEventKind.CALLS_WAIVED
                _note(kind, waiver, user=user, ip=ip, now=now, calls=count)
            columns = ("subscriber_id", "seq", "waiver_id")
            rows = [(call.subscriber_id, call.seq, waiver.id) for call in batch]
            bulk.insert_rows(db.obj, WaivedCall, columns, rows)
            _reprice(group.client, batch, WAIVED[:5])
            waiver.calls += len(batch)
            waiver.seconds += seconds
            waiver.save(only=[Waiver.calls, Waiver.seconds])
    return waiver


def undo(waiver: Waiver, *, user: User | None = None, ip: str = "", now: datetime) -> bool:
    """Let the calls of a waiver be without a price again, or have the one that there is by now;
    False when that is done already. Killed in between it is repeated.

    Raises `OnInvoice` when one stands on an invoice, `ImportsBusy`.
    """
    client = waiver.client
    with _turn():
        if Waiver.of(client).where(Waiver.id == waiver.id).get().undone_at is not None:
            return False
        calls = _calls_of(waiver)
        _count, months = _looked_at(calls)
        _check_open(client, months)
        for batch in _batches(calls):
            with write_tx():
                _forget(batch)
                _reprice(client, batch, _LATER)
        rerun = {month for month, _run in months} | {waiver.month}
        rating.rerun_client(rating.CallRater(client), client.id, min(rerun), max(rerun))
        with write_tx():
            own = Subscriber.of(client, Subscriber.id)
            left = WaivedCall.delete().where(WaivedCall.subscriber_id.in_(own))
            left.where(WaivedCall.waiver == waiver).execute()  # of calls that are gone
            Waiver.update(undone_at=now, undone_by=user).where(Waiver.id == waiver.id).execute()
            _note(AuditEventKind.WAIVER_UNDONE, waiver, user=user, ip=ip, now=now)
    return True


def find(waiver_id: int) -> Waiver | None:
    """A waiver of any client."""
    return Waiver.across_clients(Waiver, Client).join(Client).where(Waiver.id == waiver_id).first()


def last(limit: int = 50) -> list[Waiver]:
    """The latest, of all clients."""
    query = Waiver.across_clients(Waiver, Client).join(Client)
    return list(query.order_by(Waiver.id.desc()).limit(limit))


def can_undo(waiver: Waiver) -> bool:
    """Whether it is in force, and its month without an invoice. (Late calls may still refuse.)"""
    of_month = Invoice.of(waiver.client).where(Invoice.period == waiver.month)
    return waiver.undone_at is None and not of_month.exists()


# --- Calls ----------------------------------------------------------------------------------------


def _turn() -> AbstractContextManager[None]:
    data_dir = current_app.config["CABINET"].data_dir
    return import_turns.one_at_a_time(data_dir, import_turns.do_not_wait)


def _key(call: Call) -> CallKey:
    return call.subscriber_id, call.started_at, call.seq


def _batches(calls: ModelSelect) -> Iterator[Sequence[Call]]:
    """One after the other by the key, so that a group of any size takes little memory. What was
    changed meanwhile may have left the query.
    """
    after: CallKey | None = None
    while True:
        rows = calls if after is None else calls.where(Tuple(*KEY) > Tuple(*after))
        batch = list(rows.order_by(*KEY).limit(BATCH))
        if not batch:
            return
        yield batch
        after = _key(batch[-1])


def _those(calls: ModelSelect, only: Sequence[CallKey]) -> list[Sequence[Call]]:
    """Those of `only` that are in the query."""
    wanted, found = sorted(set(only)), []
    for n in range(0, len(wanted), CHUNK):
        chunk = wanted[n : n + CHUNK]
        rows = calls.where(Call.started_at.in_([started for _id, started, _seq in chunk]))
        found.extend(row for row in rows.order_by(*KEY) if _key(row) in set(chunk))
    return [found[n : n + BATCH] for n in range(0, len(found), BATCH)]


def _looked_at(calls: ModelSelect) -> tuple[int, Months]:
    """How many there are, of which months, stored by which imports. Read row by row."""
    count, found, days = 0, set(), usage.Days()
    for started_at, run in calls.select(Call.started_at, Call.import_run_id).tuples().iterator():
        count += 1
        found.add((_month_of(started_at, days), run))
    return count, found


def _looked_at_rows(batches: Iterable[Sequence[Call]]) -> tuple[int, Months]:
    rows, days = [row for batch in batches for row in batch], usage.Days()
    return len(rows), {(_month_of(row.started_at, days), row.import_run_id) for row in rows}


def _month_of(started_at: int, days: usage.Days) -> date:
    _day, number = days.of(started_at)
    return date(number // 12, number % 12 + 1, 1)


def _check_open(client: Client, months: Months) -> None:
    """Raise `OnInvoice` when a call of one of the months, stored by its import, stands on one."""
    for month in sorted({month for month, _run in months}):
        is_frozen = rating.frozen(client.id, month)
        if any(is_frozen(run) for each, run in months if each == month):
            raise OnInvoice(month=f"{month:%m.%Y}")


def _calls_of(waiver: Waiver) -> ModelSelect:
    """Those that are there, wherever a part that came later may have moved their start."""
    own = Subscriber.of(waiver.client, Subscriber.id)
    is_its = (WaivedCall.subscriber_id == Call.subscriber_id) & (WaivedCall.seq == Call.seq)
    return (
        Call.select(*COLUMNS)
        .join(WaivedCall, on=is_its)
        .where(
            Call.subscriber_id.in_(own),
            WaivedCall.waiver == waiver,
            Call.rating == CallRating.WAIVED,
        )
    )


def _forget(calls: Sequence[Call]) -> None:
    bulk.run_many(
        db.obj,
        "DELETE FROM waived_call WHERE subscriber_id = ? AND seq = ?",
        [(call.subscriber_id, call.seq) for call in calls],
    )


def _reprice(client: Client, calls: Sequence[Call], price: tuple) -> None:
    """Give calls that are in no group a price, and bring the sums along."""
    change = usage.Change({call.subscriber_id: client.id for call in calls})
    for call in calls:
        change.add(usage.of_row(call), -1)
        call.rating, call.price, call.billed_s, call.package_s, call.rate_id = price
        change.add(usage.of_row(call))
    rating.write_prices([(*price, *_key(call)) for call in calls])
    change.save()


def _note(
    kind: AuditEventKind,
    waiver: Waiver,
    *,
    user: User | None,
    ip: str,
    now: datetime,
    **detail: object,
) -> None:
    subject = f"waiver:{waiver.id}"
    audit.record(
        kind, now=now, user=user, client=waiver.client_id, subject=subject, ip=ip, **detail
    )
