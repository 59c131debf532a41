"""Making the sheet of a client's present month: what it has come to, by number, and what it will
come to.

It says what the invoice would say if the month ended now (a test compares the two), but is made of
the sums kept beside the calls, column by column: a client may have tens of thousands of numbers.
"""

from array import array
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from fractions import Fraction
from typing import Any, NamedTuple

from peewee import JOIN, Case, ModelSelect, fn

from domain.billing.allowances import PackageUse, attributed, shared_packages
from domain.billing.forecast import Parts, discount_lines, projected, tabulate
from domain.billing.forming import CallSum, Extra, Formed, Month, Number, form, vat_totals
from domain.billing.invoice import Line, LineKind, VatTotal
from domain.billing.vat import vat_percent
from domain.money import split
from domain.periods import DateRange, month_of
from models import Client, Subscriber, db
from models_billing import PlanAssignment, UsageMonth
from services import clock, months, tariffs, usage, vat_rates
from services.charge_sheet import Sheet, data_until, usage_by_day
from services.months import Fees
from services.plans import Plans

GROUP_ORDER = {group: group for group in months.GROUPS}
NOBODY = 0  # in the place of a number's id: calls of all numbers together


def make(client: Client, now: datetime) -> Sheet:
    """Read what there is and form it."""
    return _Making(client, now).sheet()


@dataclass
class _Stock:
    """Numbers and what their calls come to, in columns."""

    ids: array
    kinds: list[tuple]  # of each number, what its fees depend on: (plan, from, to, id if apart)
    counts: dict[str, array]  # columns of COUNTS, an entry more for calls of no number of the month
    micros: dict[str, array]  # by destination group


class _Days(NamedTuple):
    """Of a number, when it is the client's: what its plans by day depend on."""

    id: int
    valid_from: datetime | None
    valid_to: datetime | None


class _Making:
    def __init__(self, client: Client, now: datetime) -> None:
        self.client, self.today, self.period = client, now.date(), month_of(now.date())
        self.data_until = data_until(client, now)
        # The first day of which calls may still come: those before it are known wholly.
        until = clock.local(self.data_until).date() if self.data_until else self.period.start
        self.until = min(max(until, self.period.start), self.today)
        self.days = list(usage_by_day(client, self.period))
        self.groups = self._groups()
        self._vat_rules = vat_rates.own()
        self.stock = self._read()
        self.samples = {kind: n for n, kind in reversed(list(enumerate(self.stock.kinds)))}
        self.plans = Plans(client, [self.stock.ids[n] for n in self.samples.values()])
        self.fees = Fees()

    def sheet(self) -> Sheet:
        columns, lines, vat = self._form(DateRange(self.period.start, self.today), {})
        whole, whole_lines, whole_vat = self._form(self.period, self._factors())
        shared, left = self._packages()
        columns |= {"fee_month": whole["fee"], "forecast": whole["total"], **self.stock.counts}
        return Sheet(
            self.client.id,
            self.period,
            self.data_until,
            (self.until - self.period.start).days,
            self.stock.ids,
            columns,
            lines,
            vat,
            whole_lines,
            whole_vat,
            shared,
            left,
        )

    # --- Reading

    def _groups(self) -> dict[str, list[int]]:
        """Priced groups of the month: calls, paid seconds, micros, seconds of packages."""
        found: dict[str, list[int]] = {}
        for row in self.days:
            if row.group != usage.INCOMING and (row.micros or row.billed_s):
                sums = found.setdefault(row.group, [0, 0, 0, 0])
                for n, value in enumerate((row.calls, row.billed_s, row.micros, row.package_s)):
                    sums[n] += value
        return found

    def _read(self) -> _Stock:
        """The numbers of the month in their order, with the sums of their calls."""
        start, end = self.period.bounds(clock.zone())
        chosen = PlanAssignment.of(self.client, PlanAssignment.subscriber)
        apart = {key for (key,) in chosen.tuples() if key is not None}
        known, names = self._sums()
        query = (
            Subscriber.of(
                self.client,
                Subscriber.id,
                Subscriber.plan,
                Subscriber.valid_from,
                Subscriber.valid_to,
                *(fn.COALESCE(getattr(known.c, name), 0) for name in names),
            )
            .join(known, JOIN.LEFT_OUTER, on=known.c.subscriber_id == Subscriber.id)
            .where(
                Subscriber.valid_from.is_null() | (Subscriber.valid_from < end),
                Subscriber.valid_to.is_null() | (Subscriber.valid_to > start),
            )
            .order_by(Subscriber.number, Subscriber.id)
        )
        rows = db.execute(query).fetchall()
        ids, plans, begins, ends, *sums = (
            zip(*rows, strict=True) if rows else [()] * (4 + len(names))
        )
        kinds = [
            (plan, begin, end, key if key in apart else None)
            for key, plan, begin, end in zip(ids, plans, begins, ends, strict=True)
        ]
        columns = {
            name: array("q", [*map(int, column), 0])
            for name, column in zip(names, sums, strict=True)
        }
        micros = {group: columns.pop(f"m{n}") for n, group in enumerate(self.groups)}
        for group, column in micros.items():
            column[-1] = self.groups[group][2] - sum(column)
        return _Stock(array("q", ids), kinds, columns, micros)

    def _sums(self) -> tuple[ModelSelect, list[str]]:
        """Sums by number: of each column of COUNTS, and of each group's micros as m0, m1 …"""
        is_in = UsageMonth.destination_group == usage.INCOMING

        def of(value: Any, condition: Any) -> Any:
            return fn.SUM(Case(None, [(condition, value)], 0))

        sums = {
            "out_calls": of(UsageMonth.calls, ~is_in),
            "out_s": of(UsageMonth.seconds, ~is_in),
            "in_calls": of(UsageMonth.calls, is_in),
            "in_s": of(UsageMonth.seconds, is_in),
            "unrated": fn.SUM(UsageMonth.unrated),
            "package_s": fn.SUM(UsageMonth.package_s),
        }
        for n, group in enumerate(self.groups):
            sums[f"m{n}"] = of(UsageMonth.micros, UsageMonth.destination_group == group)
        columns = [value.alias(name) for name, value in sums.items()]
        query = UsageMonth.select(UsageMonth.subscriber_id, *columns).where(*self._of_month())
        return query.group_by(UsageMonth.subscriber_id), list(sums)

    def _of_month(self) -> tuple[Any, ...]:
        """Conditions: the client's sums of this month."""
        return (
            UsageMonth.subscriber_id.in_(Subscriber.of(self.client, Subscriber.id)),
            UsageMonth.month == usage.month_number(self.period.start),
        )

    def _factors(self) -> dict[str, Fraction]:
        """By destination group: how many times the calls there are now the month will have."""
        by_day: defaultdict[str, Counter[date]] = defaultdict(Counter)
        for row in self.days:
            by_day[row.group][row.day] += row.micros
        return {
            group: Fraction(projected(by_day[group], self.period, self.until), micros)
            for group, (_calls, _billed_s, micros, _package_s) in self.groups.items()
            if micros > 0
        }

    # --- Forming

    def _form(
        self, days: DateRange, factors: dict[str, Fraction]
    ) -> tuple[dict[str, array], tuple[Line, ...], tuple[VatTotal, ...]]:
        """Columns, lines and VAT of these days; calls are so many times those there are."""
        micros = {
            group: _times(column, factors.get(group)) for group, column in self.stock.micros.items()
        }
        formed = self._formed(days, {group: sum(column) for group, column in micros.items()})
        parts = self._parts(formed, micros)
        lines = [_scaled(line, parts[line.ordinal]) for line in formed.lines]
        discounts = months.discounts_of(self.client, self.period.start)
        lines += discount_lines(lines, discounts, self._vat_of)
        lines = [replace(line, ordinal=n) for n, line in enumerate(lines, 1)]
        vat = vat_totals(lines)
        return tabulate(lines, vat, parts, len(self.stock.ids)), tuple(lines), vat

    def _formed(self, days: DateRange, micros: dict[str, int]) -> Formed:
        """The lines as an invoice has them, but each fee for one number of a kind only."""
        one_offs = [
            Extra(row.subscriber_id, row.name, row.amount, row.service)
            for row in months.one_offs_of(self.client, days.end)
        ]
        instalments = [
            Extra(row.plan.subscriber_id, row.plan.goods, row.amount, row.plan.service)
            for row in months.instalments_of(self.client, days.end)
        ]
        numbers = self._numbers(days)
        known = {number.subscriber_id for number in numbers}
        owners = {extra.subscriber_id for extra in (*one_offs, *instalments)} - known - {None}
        numbers += [Number(key, "", "", ()) for key in owners]
        calls = [
            CallSum(NOBODY, group, sums[0], sums[1], micros[group])
            for group, sums in self.groups.items()
        ]
        month = Month(len(list(self.period.days())), numbers, calls, one_offs, instalments, ())
        return form(month, vat_of=self._vat_of, group_names=GROUP_ORDER)

    def _numbers(self, days: DateRange) -> list[Number]:
        """A number of each kind with its plans on these days; all of them when a fee depends on
        how many there are (`self.by_kind` tells).
        """
        start, end = days.bounds(clock.zone())
        found = {}
        for kind, n in self.samples.items():
            _plan, begin, finish, _apart = kind
            row = _Days(self.stock.ids[n], _moment(begin), _moment(finish))
            is_there = row.valid_from is None or row.valid_from < end
            plans = months.plan_days(row, start, end, self.plans, self.fees) if is_there else ()
            found[kind] = Number(row.id, "", "", tuple(plans))
        fees = {fee for one in found.values() for plan in one.plans for fee in plan.fees}
        self.by_kind = not any(fee.ranges for fee in fees)
        if self.by_kind:
            return list(found.values())
        return [
            replace(found[kind], subscriber_id=key)
            for key, kind in zip(self.stock.ids, self.stock.kinds, strict=True)
        ]

    def _parts(self, formed: Formed, micros: dict[str, array]) -> dict[int, Parts]:
        """Of each line, what the numbers have of it."""
        places = {key: n for n, key in enumerate(self.stock.ids)}
        told: defaultdict[int, dict[int, int]] = defaultdict(dict)
        for row in formed.annex:
            for ordinal, (_quantity, _seconds, net) in row.sums.items():
                told[ordinal][row.subscriber_id] = net
        parts: dict[int, Parts] = {}
        for line in formed.lines:
            own = told[line.ordinal]
            if line.kind is LineKind.CALLS:
                parts[line.ordinal] = split(line.net, micros[line.code])[:-1]
            elif line.kind is LineKind.FEE and own and self.by_kind:
                by_kind = {kind: own.get(self.stock.ids[n], 0) for kind, n in self.samples.items()}
                parts[line.ordinal] = [by_kind[kind] for kind in self.stock.kinds]
            else:
                parts[line.ordinal] = {
                    places[key]: net for key, net in own.items() if key in places
                }
        return parts

    def _packages(self) -> tuple[tuple[PackageUse, ...], dict[int, int]]:
        """Shared packages as they stand, and what is left of each number's own."""
        at = clock.epoch(DateRange(self.today, self.today).bounds(clock.zone())[0])
        by_kind = {
            kind: tariffs.packages_of(self.plans.version_at(self.stock.ids[n], at))
            for kind, n in self.samples.items()
        }
        own = {
            kind: [package for package in packages if not package.is_shared]
            for kind, packages in by_kind.items()
        }
        used = Counter({group: sums[3] for group, sums in self.groups.items()})
        left = {}
        if any(own.values()):
            seconds = self._package_seconds()
            for key, kind in zip(self.stock.ids, self.stock.kinds, strict=True):
                if own[kind]:
                    mine = seconds.get(key, Counter())
                    used -= mine
                    taken = sum(attributed(own[kind], mine))
                    used += mine  # what its own packages have not paid, those of all have
                    left[key] = sum(package.quota_s for package in own[kind]) - taken
        return tuple(shared_packages(by_kind.values(), used, self.period, self.until)), left

    def _package_seconds(self) -> dict[int, Counter[str]]:
        """What packages have paid, by number and destination group."""
        found: defaultdict[int, Counter[str]] = defaultdict(Counter)
        query = UsageMonth.select(
            UsageMonth.subscriber_id, UsageMonth.destination_group, UsageMonth.package_s
        ).where(*self._of_month(), UsageMonth.package_s > 0)
        for key, group, seconds in query.tuples():
            found[key][group] += seconds
        return found

    def _vat_of(self, service: str) -> int:
        return int(vat_percent(service, self.period.end, self._vat_rules) * 100)


def _scaled(line: Line, parts: Parts) -> Line:
    """A fee of one number of each kind becomes that of all of them."""
    if line.kind is not LineKind.FEE or isinstance(parts, Mapping):
        return line
    return replace(line, net=sum(parts), quantity=sum(part > 0 for part in parts))


def _times(column: array, factor: Fraction | None) -> array:
    if factor is None:
        return column
    numerator, denominator = factor.as_integer_ratio()
    return array("q", [value * numerator // denominator for value in column])


def _moment(value: Any) -> datetime | None:
    """A moment as a row that was read past the model has it."""
    return Subscriber.valid_from.python_value(value)
