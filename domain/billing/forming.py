"""A month of a client becomes the lines of its invoice, and what each number has on them.

Every sum is made once and then parted, so numbers make their line and lines make the invoice to the
kopeck. Nothing here knows tables or words: names come in with the figures.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from domain.billing.invoice import AnnexRow, Line, LineKind, VatTotal
from domain.billing.lines import plain_nets
from domain.billing.totals import VatSum, total_of
from domain.money import divide, prorated, share, split, to_kopecks
from domain.rating.plan_file import Fee
from domain.rating.quantities import Graduated, Range, Volume

VatOf = Callable[[str], int]  # service → hundredths of a per cent on the day of the invoice
CLIENT = None  # whose a sum is when it is no number's


class PlanDays(NamedTuple):
    """Days of the month on which a number had a plan."""

    plan: str
    fees: tuple[Fee, ...]
    days: int
    begins: bool  # whether the plan began in this month: what is paid once is paid then


@dataclass(frozen=True)
class Number:
    """A number of the client in the month."""

    subscriber_id: int
    number: str
    full_name: str
    plans: tuple[PlanDays, ...]  # in their order; the last names the plan on the annex


class CallSum(NamedTuple):
    """Priced calls of a number to one destination group."""

    subscriber_id: int
    group: str
    calls: int
    billed_s: int
    micros: int
    is_late: bool = False


class Extra(NamedTuple):
    """One thing paid beside fees and calls. `amount`: without VAT, for instalments with it."""

    subscriber_id: int | None
    name: str
    amount: int
    service: str


class DiscountRule(NamedTuple):
    """So many hundredths of a per cent less."""

    name: str
    percent: int


@dataclass(frozen=True)
class Month:
    """All that makes an invoice."""

    days: int  # of the month
    numbers: Sequence[Number]
    calls: Iterable[CallSum] = ()
    one_offs: Sequence[Extra] = ()
    instalments: Sequence[Extra] = ()
    discounts: Sequence[DiscountRule] = ()


@dataclass
class _Draft:
    """A line before it has its place. `parts`: number → (quantity, seconds, net)."""

    kind: LineKind
    name: str
    service: str
    net: int
    quantity: int
    code: str = ""
    seconds: int = 0
    gross: int = 0
    parts: dict[int, tuple[int, int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Formed:
    """Lines, their VAT, and the annex by number."""

    lines: tuple[Line, ...]
    vat: tuple[VatTotal, ...]
    annex: tuple[AnnexRow, ...]


def form(month: Month, *, vat_of: VatOf, group_names: Mapping[str, str]) -> Formed:
    """Make the lines of a month: fees, calls by destination group, late calls, what is paid once,
    instalments, discounts, in this order.
    """
    drafts = [
        *_fees(month),
        *_calls(month, group_names),
        *_one_offs(month),
        *_instalments(month, vat_of),
    ]
    drafts += _discounts(month, drafts)
    lines = tuple(
        Line(
            ordinal=ordinal,
            kind=draft.kind,
            code=draft.code,
            name=draft.name,
            quantity=draft.quantity,
            seconds=draft.seconds,
            net=draft.net,
            gross=draft.gross,
            vat_percent=vat_of(draft.service),
            service=draft.service,
        )
        for ordinal, draft in enumerate(drafts, 1)
    )
    return Formed(lines, vat_totals(lines), _annex(month, drafts))


def vat_totals(lines: Iterable[Line]) -> tuple[VatTotal, ...]:
    """VAT once for each rate on the sum of its lines, half up; prices that hold their VAT bring
    it along. The highest rate first.
    """
    lines = list(lines)
    plain = {part.percent: part for part in total_of(plain_nets(lines)).by_rate}
    percents = {Decimal(line.vat_percent) / 100 for line in lines}
    return tuple(
        _with_held(percent, plain.get(percent, VatSum(percent, 0, 0)), lines)
        for percent in sorted(percents, reverse=True)
    )


def _with_held(percent: Decimal, plain: VatSum, lines: Sequence[Line]) -> VatTotal:
    """The plain lines of a rate, and those whose prices hold their VAT."""
    hundredths = int(percent * 100)
    held = [line for line in lines if line.gross and line.vat_percent == hundredths]
    return VatTotal(
        percent=hundredths,
        net=plain.net + sum(line.net for line in held),
        vat=plain.vat + sum(line.gross - line.net for line in held),
    )


# --- Fees -----------------------------------------------------------------------------------------


def _fees(month: Month) -> list[_Draft]:
    """A line for each fee of each plan; a plan that changed within the month is counted by days."""
    found: dict[tuple[str, Fee], dict[int, int]] = {}
    for number in month.numbers:
        for plan in number.plans:
            for fee in plan.fees:
                if fee.is_monthly or plan.begins:
                    whose = found.setdefault((plan.plan, fee), {})
                    days = plan.days if fee.is_monthly else month.days
                    whose[number.subscriber_id] = whose.get(number.subscriber_id, 0) + days
    return [_fee(fee, list(whose.items()), month.days) for (_plan, fee), whose in found.items()]


def _fee(fee: Fee, whose: list[tuple[int, int]], of: int) -> _Draft:
    if fee.is_per_client:
        days = max(days for _number, days in whose)
        net = prorated(fee.amount, days, of)
        return _Draft(LineKind.FEE, fee.name, fee.service, net, 1, fee.code)
    amounts = (
        _by_quantity(fee, whose, of)
        if fee.ranges
        else [prorated(fee.amount, days, of) for _number, days in whose]
    )
    draft = _Draft(LineKind.FEE, fee.name, fee.service, sum(amounts), len(whose), fee.code)
    for (subscriber_id, _days), amount in zip(whose, amounts, strict=True):
        draft.parts[subscriber_id] = (1, 0, amount)
    return draft


def _by_quantity(fee: Fee, whose: list[tuple[int, int]], of: int) -> list[int]:
    """A price that depends on how many there are, counted in whole months of use."""
    ranges = tuple(Range(*part) for part in fee.ranges)
    model = Volume(ranges) if fee.is_volume else Graduated(ranges)
    days = [days for _number, days in whose]
    return split(to_kopecks(model.price_of(Fraction(sum(days), of))), days)


# --- Calls ----------------------------------------------------------------------------------------


def _calls(month: Month, group_names: Mapping[str, str]) -> list[_Draft]:
    """A line for each destination group, those of the month before those that came late."""
    found: defaultdict[tuple[bool, str], list[CallSum]] = defaultdict(list)
    for sums in month.calls:
        found[sums.is_late, sums.group].append(sums)
    order = {group: place for place, group in enumerate(group_names)}
    drafts = []
    for is_late, group in sorted(found, key=lambda key: (key[0], order.get(key[1], 99), key[1])):
        sums = found[is_late, group]
        net = to_kopecks(sum(each.micros for each in sums))
        draft = _Draft(
            LineKind.LATE_CALLS if is_late else LineKind.CALLS,
            group_names.get(group, group),
            "telecom",
            net,
            sum(each.calls for each in sums),
            group,
            sum(each.billed_s for each in sums),
        )
        for each, part in zip(sums, split(net, [each.micros for each in sums]), strict=True):
            draft.parts[each.subscriber_id] = (each.calls, each.billed_s, part)
        drafts.append(draft)
    return drafts


# --- Beside them ----------------------------------------------------------------------------------


def _one_offs(month: Month) -> list[_Draft]:
    return [
        _own(LineKind.ONE_OFF, extra, extra.amount, extra.subscriber_id) for extra in month.one_offs
    ]


def _own(kind: LineKind, extra: Extra, net: int, subscriber_id: int | None) -> _Draft:
    draft = _Draft(kind, extra.name, extra.service, net, 1)
    if subscriber_id is not CLIENT:
        draft.parts[subscriber_id] = (1, 0, net)
    return draft


def _instalments(month: Month, vat_of: VatOf) -> list[_Draft]:
    """Prices that hold their VAT: it is taken out of the sum of a rate once, and parted."""
    by_service: defaultdict[str, list[Extra]] = defaultdict(list)
    for extra in month.instalments:
        by_service[extra.service].append(extra)
    drafts = []
    for service, extras in by_service.items():
        percent = vat_of(service)
        gross = sum(extra.amount for extra in extras)
        vat = divide(gross * percent, 10_000 + percent)
        for extra, held in zip(extras, split(vat, [e.amount for e in extras]), strict=True):
            net = extra.amount - held
            draft = _own(LineKind.INSTALMENT, extra, net, extra.subscriber_id)
            draft.gross = extra.amount
            drafts.append(draft)
    return drafts


def _discounts(month: Month, drafts: Sequence[_Draft]) -> list[_Draft]:
    """Less of fees, calls and what is paid once, for each service by itself: its VAT is its own."""
    sums: defaultdict[str, int] = defaultdict(int)
    for draft in drafts:
        if draft.kind is not LineKind.INSTALMENT:
            sums[draft.service] += draft.net
    return [
        _Draft(LineKind.DISCOUNT, rule.name, service, -less, 1)
        for rule, service, less in taken_off(sums, month.discounts)
    ]


def taken_off(
    sums: Mapping[str, int], rules: Iterable[DiscountRule]
) -> Iterator[tuple[DiscountRule, str, int]]:
    """What each discount takes off the sum of each service; all together never more than it is.

    >>> [less for *_, less in taken_off({"telecom": 1001}, [DiscountRule("", 5000)] * 3)]
    [501, 500]
    """
    left = dict(sums)
    for rule in rules:
        for service, amount in sums.items():
            less = share(amount, Fraction(rule.percent, 100))
            if amount > 0:
                less = min(less, left[service])
            if less:
                left[service] -= less
                yield rule, service, less


def _annex(month: Month, drafts: Sequence[_Draft]) -> tuple[AnnexRow, ...]:
    """Every number of the month, also one that has nothing to pay."""
    return tuple(
        AnnexRow(
            subscriber_id=number.subscriber_id,
            number=number.number,
            full_name=number.full_name,
            plan=number.plans[-1].plan if number.plans else "",
            sums={
                ordinal: draft.parts[number.subscriber_id]
                for ordinal, draft in enumerate(drafts, 1)
                if number.subscriber_id in draft.parts
            },
        )
        for number in month.numbers
    )
