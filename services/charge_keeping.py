"""Sheets of clients with many numbers, kept for the pages that follow: as long as what a sheet was
made of stays the same, and for a few seconds without asking.
"""

from collections import OrderedDict
from datetime import date, datetime, time, timedelta
from threading import Lock
from typing import Any

from peewee import fn

from domain.imports import ImportState
from domain.periods import month_of
from models import AuditEvent, Client, ImportRun, Scope, Subscriber, scope_in_force
from models_billing import (
    Discount,
    Instalment,
    InstalmentPlan,
    OneOffCharge,
    PlanAssignment,
    TariffVersion,
    VatRate,
)
from services import clock
from services.audit import AuditEventKind
from services.charge_making import make
from services.charge_sheet import Sheet, of_numbers, usage_by_day
from services.scopes import whole_company

KEPT_FROM = 500  # numbers: the sheet of a smaller client is made in no time
KEPT_ROWS = 200_000  # numbers of all sheets kept
KEPT_PARTS = 8  # of a sheet, for those who see chosen numbers
TRUSTED = timedelta(seconds=5)  # so long a sheet is used without asking whether it still holds


def sheet_of(client: Client, *, now: datetime) -> Sheet:
    """The client's present month, as far as it may be seen. Kept is that of the whole company."""
    with whole_company():
        sheet = _kept.get(client, now)
    scope = scope_in_force()
    return sheet if scope is None else _part_of(sheet, client, scope)


def _part_of(sheet: Sheet, client: Client, scope: Scope) -> Sheet:
    """Kept with the sheet, for a few who ask: a changed scope is another one."""
    part = sheet.parts.get(scope)
    if part is None:
        seen = {key for (key,) in Subscriber.of(client, Subscriber.id).tuples()}
        part = of_numbers(sheet, seen)
        for oldest in list(sheet.parts)[: max(0, len(sheet.parts) - KEPT_PARTS + 1)]:
            sheet.parts.pop(oldest, None)
        sheet.parts[scope] = part
    return part


class _Kept:
    """Each sheet with what it was made of and when that was asked. One is made at a time."""

    def __init__(self) -> None:
        self._sheets: OrderedDict[int, tuple[tuple, datetime, Sheet]] = OrderedDict()
        self._lock = Lock()

    def get(self, client: Client, now: datetime) -> Sheet:
        """The sheet as it is now, or was a few seconds ago."""
        found = self._sheets.get(client.id)
        if found and found[2].period == month_of(now.date()):
            if abs(now - found[1]) < TRUSTED:
                return found[2]
        elif Subscriber.of(client).count() < KEPT_FROM:
            return make(client, now)
        with self._lock:
            return self._renewed(client, now)

    def _renewed(self, client: Client, now: datetime) -> Sheet:
        made_of = _made_of(client, now.date())
        found = self._sheets.pop(client.id, None)
        sheet = found[2] if found and found[0] == made_of else make(client, now)
        self._sheets[client.id] = made_of, now, sheet
        while len(self._sheets) > 1 and self._rows() > KEPT_ROWS:
            self._sheets.popitem(last=False)
        return sheet

    def _rows(self) -> int:
        return sum(len(sheet.ids) for _made_of, _at, sheet in self._sheets.values())


_kept = _Kept()


def _made_of(client: Client, today: date) -> tuple[Any, ...]:
    """What tells whether a sheet still holds: the day, the calls by day, and of all else how many
    there are, the newest, and their sum.
    """
    numbers = Subscriber.of(
        client,
        fn.COUNT(Subscriber.valid_from),
        fn.MAX(Subscriber.valid_from),
        fn.COUNT(Subscriber.valid_to),
        fn.MAX(Subscriber.valid_to),
        fn.COUNT(Subscriber.client),
    )
    changed = AuditEvent.select(fn.MAX(AuditEvent.id)).where(  # names, for one
        AuditEvent.client == client,
        AuditEvent.at >= datetime.combine(today, time(), clock.zone()),  # a sheet is of one day
        AuditEvent.event == AuditEventKind.SUBSCRIBER_CHANGED,
    )
    charges = OneOffCharge.of(
        client,
        fn.COUNT(OneOffCharge.id),
        fn.SUM(OneOffCharge.amount),
        fn.MAX(OneOffCharge.created_at),  # an id may be that of one called off
    )
    parts = Instalment.select(fn.COUNT(Instalment.id), fn.SUM(Instalment.amount))
    own_parts = Instalment.plan.in_(InstalmentPlan.of(client, InstalmentPlan.id))
    queries = (
        numbers,
        changed,
        charges.where(OneOffCharge.invoice_id.is_null()),
        parts.where(own_parts, Instalment.invoice_id.is_null()),
        InstalmentPlan.of(client, fn.COUNT(InstalmentPlan.closed_on)),
        Discount.of(client, Discount.id, Discount.valid_to),
        PlanAssignment.of(client, fn.COUNT(PlanAssignment.id), fn.MAX(PlanAssignment.id)),
        TariffVersion.select(fn.COUNT(TariffVersion.published_at), fn.MAX(TariffVersion.id)),
        VatRate.select(VatRate.id, VatRate.percent).order_by(VatRate.id),
        ImportRun.select(fn.MAX(ImportRun.id)).where(ImportRun.state == ImportState.DONE),
    )
    days = sorted(usage_by_day(client, month_of(today)))
    return today, tuple(days), *(tuple(query.tuples()) for query in queries)
