"""VAT that the operator has set beside the law: by kind of service, from a day on."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from flask import current_app

from domain.accounts import check_name
from domain.billing.vat import LAW, VatRule, vat_percent
from domain.errors import InvalidValue, VatOnBills
from domain.formats import NBSP, format_percent
from domain.periods import month_of, month_start
from models_billing import Invoice, VatRate
from services import audit, import_turns
from services.audit import AuditEventKind, By
from services.transactions import write_tx

WHOLE = 10_000  # hundredths of a per cent


class Set(NamedTuple):
    """A rate that stands in the table, and whether it is other than before."""

    row: VatRate
    is_changed: bool


def own() -> list[VatRule]:
    """What the operator has set."""
    rows = VatRate.select().order_by(VatRate.service, VatRate.valid_from)
    return [_rule(row.service, row.valid_from, row.percent) for row in rows]


def every() -> list[tuple[VatRule, bool]]:
    """The law's and the operator's, by service and day; and which are the operator's. One of the
    law with one of the operator's for the same day counts for nothing and is left out.
    """
    mine = own()
    hidden = {(rule.service, rule.valid_from) for rule in mine}
    told = [(rule, True) for rule in mine]
    told += [(rule, False) for rule in LAW if (rule.service, rule.valid_from) not in hidden]
    return sorted(told, key=lambda each: (_place(each[0].service), each[0].valid_from))


def in_force(day: date) -> dict[str, int]:
    """Hundredths of a per cent by service, for those of which VAT is known on that day."""
    rules = own()
    services = {rule.service for rule in (*LAW, *rules) if rule.valid_from <= day}
    return {
        service: int(vat_percent(service, day, rules) * 100)
        for service in sorted(services, key=_place)
    }


def put(service: str, percent: int, *, valid_from: date, by: By) -> Set:
    """Let `service` have so many hundredths of a per cent of VAT from a day on, in the place of
    another rate of that day; a service that is not known yet becomes known. Said again it changes
    nothing. The bill of a month takes the rate of its last day.

    Raises `InvalidValue` for no name or a wrong percentage, `VatOnBills` when bills of a month
    stand with another rate, and `ImportsBusy` while invoices are formed.
    """
    if not 0 <= percent <= WHOLE:
        raise InvalidValue("0 to 100 per cent", what="percent", value=percent)
    service = _checked(service)
    data_dir = current_app.config["CABINET"].data_dir
    with import_turns.one_at_a_time(data_dir, import_turns.do_not_wait), write_tx():
        row = VatRate.get_or_none(VatRate.service == service, VatRate.valid_from == valid_from)
        if row is not None and row.percent == percent:
            return Set(row, is_changed=False)
        _check_bills(service, percent, valid_from)
        row = row or VatRate(service=service, valid_from=valid_from)
        before, row.percent = row.percent, percent
        row.save()
        audit.record_by(
            AuditEventKind.VAT_RATE_SET,
            by,
            client=None,
            subject=f"vat_rate:{row.id}",
            percent=percent,
            before=before,
            valid_from=valid_from.isoformat(),
        )
    return Set(row, is_changed=True)


def _checked(service: str) -> str:
    """A name, and not a known one in other letters: fees and charges name it to the letter."""
    service = check_name(service)
    for rule in (*LAW, *own()):
        if rule.service != service and rule.service.casefold() == service.casefold():
            what = f"service (there is {rule.service})"
            raise InvalidValue("another case", what=what, value=service)
    return service


def _check_bills(service: str, percent: int, valid_from: date) -> None:
    """Raise `VatOnBills` when a month has bills, and with the new rate would have another one. A
    service of which no VAT was known stands on no bill.
    """
    before = own()
    same_day = (service, valid_from)
    after = [rule for rule in before if (rule.service, rule.valid_from) != same_day]
    after.append(_rule(service, valid_from, percent))
    query = Invoice.across_clients(Invoice.period).where(
        Invoice.ordinal == 0, Invoice.period >= month_start(valid_from)
    )
    for (period,) in sorted(query.distinct().tuples(), reverse=True):
        last = month_of(period).end
        known = _percent(service, last, before)
        if known is not None and known != _percent(service, last, after):
            raise VatOnBills(
                month=f"{period:%m.%Y}",
                percent=format_percent(known).replace(NBSP, " "),
                service=service,
                first=month_start(period, -1),
            )


def _percent(service: str, day: date, rules: Iterable[VatRule]) -> int | None:
    try:
        return int(vat_percent(service, day, rules) * 100)
    except InvalidValue:
        return None


def _rule(service: str, valid_from: date, percent: int) -> VatRule:
    return VatRule(service, valid_from, Decimal(percent) / 100)


def _place(service: str) -> tuple[int, str]:
    """Those of the law first."""
    names = [rule.service for rule in LAW]
    return (names.index(service) if service in names else len(names)), service
