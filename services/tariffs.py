"""Tariff plans in the tables: files read into versions, publishing them, and what was in force.

A version is a draft until it is published; then it prices calls from its day on and never changes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path

from domain.errors import AlreadyExists, InvalidValue, NotFound
from domain.money import Rounding
from domain.msisdn import normalise
from domain.rating.deck_file import Mistake, read_deck
from domain.rating.plan_file import Fee, PlanFile, read_plan
from domain.rating.states import VersionState
from domain.rating.tariff import TO_A_MICRO, Package, Rate, RoundingRule, Step, Version, Window
from models import Subscriber, db
from models_billing import (
    PlanAssignment,
    TariffFee,
    TariffPackage,
    TariffPlan,
    TariffRate,
    TariffVersion,
)
from services import accounts, bulk, clock, vat_rates
from services.transactions import lock_client, write_tx

RATE_COLUMNS = (
    *("version_id", "prefix", "origin", "name", "destination_group", "connect_fee", "free_s"),
    *("grace_s", "minimum_s", "cap", "steps", "windows", "valid_from", "valid_to"),
)


class DeckRefused(InvalidValue):
    """A file with mistakes in it: nothing was stored. `mistakes` names each with its line."""

    code = "deck_refused"

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__(f"{len(mistakes)} mistakes", what="deck", value=len(mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True)
class Difference:
    """Prefixes of a file against the version that is in force on its day."""

    against: date | None  # from when that one holds; None: there is none
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Imported:
    """What came of a file."""

    plan: str
    valid_from: date
    rates: int
    difference: Difference
    ignored: list[str]  # titles of columns that mean nothing here
    version: TariffVersion | None = None  # None: a dry run


def import_file(
    path: Path,
    *,
    plan_name: str | None = None,
    valid_from: date | None = None,
    dry_run: bool = False,
    now: datetime,
) -> Imported:
    """Read a deck (CSV) or a whole plan (`.toml`) into a draft, in the place of an older draft for
    that day. What the file does not tell — fees, packages, rounding — is as in the version that
    holds on that day.

    Raises `NotFound` without the file, `DeckRefused` and `InvalidValue` for what is wrong in it,
    `AlreadyExists` when that version is published: it never changes, another day makes another.
    """
    told = _read(path)
    plan_name, valid_from = plan_name or told.plan, valid_from or told.valid_from
    if not plan_name or valid_from is None:
        raise InvalidValue("the plan and its first day are needed", what="plan", value="")
    if told.mistakes:
        raise DeckRefused(told.mistakes)
    _check_services(told, max(valid_from, now.date()))
    plan = TariffPlan.get_or_none(TariffPlan.name == plan_name)
    base = plan and in_force(plan, valid_from)
    rows = [_rate_row(told, number) for number in range(len(told.rates))]
    difference = _compare(base, rows)
    version = None
    if not dry_run:
        with write_tx():
            plan = plan or TariffPlan.create(name=plan_name, created_at=now)
            version = _draft(plan, valid_from, told, base, path.name, now)
            bulk.insert_rows(db.obj, TariffRate, RATE_COLUMNS, ((version.id, *row) for row in rows))
    return Imported(plan_name, valid_from, len(rows), difference, told.ignored, version)


def _read(path: Path) -> PlanFile:
    try:
        content = path.read_bytes()
        if path.suffix.lower() == ".toml":
            return read_plan(
                content.decode("utf-8-sig"), lambda name: (path.parent / name).read_bytes()
            )
    except OSError as error:
        name = error.filename or path
        raise NotFound(f"{name}: {error.strerror}", what="file", name=str(name)) from error
    except UnicodeDecodeError as error:
        raise InvalidValue(f"{path} is not UTF-8", what="plan", value=str(path)) from error
    deck = read_deck(content)
    rates = [(rate, "") for rate in deck.rates.values()]
    return PlanFile(rates=rates, mistakes=deck.mistakes, ignored=deck.ignored)


def _check_services(told: PlanFile, day: date) -> None:
    """Refuse a fee of a service whose VAT nobody knows when its first bill is formed: no bill with
    it could be.
    """
    known = vat_rates.in_force(day)
    for place, fee in zip(told.fee_places, told.fees or (), strict=True):
        if fee.service not in known:
            sentence = (
                f"{place}: no VAT is known for {fee.service!r}; known: {', '.join(known)};"
                " `flask vat set` makes another one known"
            )
            raise InvalidValue(sentence, what="service", value=fee.service)


def _rate_row(told: PlanFile, number: int) -> tuple:
    """Values of RATE_COLUMNS after the version, as the table holds them."""
    rate, origin = told.rates[number]
    windows = [
        [sorted(days), start, end, steps, name]
        for days, start, end, steps, name in told.windows_of(rate)
    ]
    return (
        rate.prefix,
        origin,
        rate.name,
        rate.group,
        rate.connect_fee,
        rate.free_s,
        rate.grace_s,
        rate.minimum_s,
        rate.cap,
        TariffRate.steps.db_value(rate.steps),
        TariffRate.windows.db_value(windows),
        rate.valid_from and rate.valid_from.isoformat(),
        rate.valid_to and rate.valid_to.isoformat(),
    )


def _compare(base: TariffVersion | None, rows: list[tuple]) -> Difference:
    """Prefixes by what they cost; names do not count."""
    new = {(row[0], row[1], str(row[11] or "")): (*row[4:11], row[12]) for row in rows}
    if base is None:
        return Difference(None, added=sorted({key[0] for key in new}))
    old = {}
    columns = ", ".join(RATE_COLUMNS[1:])
    query = f"SELECT {columns} FROM {bulk.table_of(TariffRate)} WHERE version_id = {base.id:d}"  # noqa: S608 - names of our own
    for row in db.execute_sql(query).fetchall():
        old[row[0], row[1], str(row[11] or "")] = (*row[4:11], row[12])
    changed = {key for key in new.keys() & old.keys() if _plain(new[key]) != _plain(old[key])}
    return Difference(
        base.valid_from,
        added=sorted({key[0] for key in new.keys() - old.keys()}),
        changed=sorted({key[0] for key in changed}),
        removed=sorted({key[0] for key in old.keys() - new.keys()}),
    )


def _plain(values: tuple) -> list[str]:
    return [str(value or 0) for value in values]


def _draft(
    plan: TariffPlan,
    valid_from: date,
    told: PlanFile,
    base: TariffVersion | None,
    source: str,
    now: datetime,
) -> TariffVersion:
    """A new draft in the place of an old one, with fees and packages of its own or of `base`."""
    same = (TariffVersion.plan == plan) & (TariffVersion.valid_from == valid_from)
    if TariffVersion.select().where(same, TariffVersion.state == VersionState.PUBLISHED).exists():
        raise AlreadyExists(what="tariff", name=f"{plan.name}, {valid_from:%d.%m.%Y}")
    TariffVersion.delete().where(same, TariffVersion.state == VersionState.DRAFT).execute()
    rounding = told.rounding or (base and rounding_of(base)) or TO_A_MICRO
    version = TariffVersion.create(
        plan=plan,
        valid_from=valid_from,
        rounding_mode=rounding.mode,
        rounding_places=rounding.places,
        source=source,
        created_at=now,
    )
    fees = told.fees if told.fees is not None else fees_of(base)
    packages = told.packages if told.packages is not None else packages_of(base)
    for fee in fees:
        values = {name: getattr(fee, name) for name in Fee.__dataclass_fields__}
        TariffFee.create(version=version, **values)
    for ordinal, package in enumerate(packages, 1):
        TariffPackage.create(
            version=version,
            ordinal=ordinal,
            code=package.code,
            name=package.name,
            quota_s=package.quota_s,
            is_shared=package.is_shared,
            groups=sorted(package.groups),
            overage=package.overage,
        )
    return version


def publish(plan_name: str, valid_from: date, *, now: datetime) -> TariffVersion:
    """Let a draft price calls from its day on. Raises `NotFound`."""
    with write_tx():
        version = (
            TariffVersion.select(TariffVersion, TariffPlan)
            .join(TariffPlan)
            .where(TariffPlan.name == plan_name, TariffVersion.valid_from == valid_from)
            .first()
        )
        if version is None:
            raise NotFound(what="tariff", name=f"{plan_name}, {valid_from:%d.%m.%Y}")
        if version.state == VersionState.DRAFT:
            version.state, version.published_at = VersionState.PUBLISHED, now
            version.save()
    return version


def assign(
    account_no: str, plan_name: str, *, number: str | None = None, valid_from: date
) -> PlanAssignment:
    """Give a client, or one of its numbers, a plan from a day on, in the place of another choice
    for the same day. Raises `NotFound`.
    """
    client = accounts.find_client(account_no)
    plan = TariffPlan.get_or_none(TariffPlan.name == plan_name)
    if plan is None:
        raise NotFound(what="tariff", name=plan_name)
    subscriber = None
    if number is not None:
        subscriber = Subscriber.of(client).where(Subscriber.number == normalise(number)).first()
        if subscriber is None:
            raise NotFound(what="number", name=number)
    same = PlanAssignment.valid_from == valid_from
    whose = (
        PlanAssignment.subscriber.is_null()
        if subscriber is None
        else PlanAssignment.subscriber == subscriber
    )
    with write_tx():
        lock_client(client)  # of two at once for a whole company, no index would refuse one
        PlanAssignment.delete().where(PlanAssignment.client == client, same, whose).execute()
        return PlanAssignment.create(
            client=client, subscriber=subscriber, plan=plan, valid_from=valid_from
        )


def in_force(plan: TariffPlan | int, day: date) -> TariffVersion | None:
    """The published version of a plan that holds on `day`."""
    return (
        TariffVersion.select()
        .where(
            TariffVersion.plan == plan,
            TariffVersion.state == VersionState.PUBLISHED,
            TariffVersion.valid_from <= day,
        )
        .order_by(TariffVersion.valid_from.desc())
        .first()
    )


def versions() -> list[TariffVersion]:
    """All versions with their plans, by plan and day."""
    query = TariffVersion.select(TariffVersion, TariffPlan).join(TariffPlan)
    return list(query.order_by(TariffPlan.name, TariffVersion.valid_from))


# --- From the tables to what prices are counted with ----------------------------------------------


def load(version_id: int) -> Version:
    """A version with all its prices: a second's work for a large deck, so whoever prices many
    calls keeps it.
    """
    row = TariffVersion.select(TariffVersion, TariffPlan).join(TariffPlan)
    version = row.where(TariffVersion.id == version_id).get()
    return Version(
        version.plan.name,
        version.valid_from,
        tuple(_rates(version_id)),
        tuple(packages_of(version)),
        rounding_of(version),
        id=version_id,
    )


def rounding_of(version: TariffVersion) -> RoundingRule:
    """How calls are rounded."""
    return RoundingRule(Rounding(version.rounding_mode), version.rounding_places)


def fees_of(version: TariffVersion | None) -> list[Fee]:
    """Its fees; none without a version."""
    query = TariffFee.select().where(TariffFee.version == version).order_by(TariffFee.id)
    return [
        Fee(
            row.code,
            row.name,
            row.amount,
            row.is_monthly,
            row.is_per_client,
            row.service,
            tuple(map(tuple, row.ranges)),
            row.is_volume,
        )
        for row in (query if version else ())
    ]


def packages_of(version: TariffVersion | None) -> list[Package]:
    """Its packages, in the order in which they pay; none without a version."""
    query = TariffPackage.select().where(TariffPackage.version == version)
    return [
        Package(
            row.code,
            row.quota_s,
            row.name,
            row.is_shared,
            frozenset(row.groups),
            tuple(Step(*step) for step in row.overage),
        )
        for row in (query.order_by(TariffPackage.ordinal) if version else ())
    ]


def _rates(version_id: int) -> Iterator[Rate]:
    for row in TariffRate.select().where(TariffRate.version == version_id).iterator():
        yield Rate(
            row.prefix,
            tuple(Step(*step) for step in row.steps),
            row.name,
            row.destination_group,
            row.origin,
            row.connect_fee,
            row.free_s,
            row.grace_s,
            row.minimum_s,
            row.cap,
            tuple(
                Window(frozenset(days), start, end, tuple(Step(*s) for s in steps), name)
                for days, start, end, steps, name in row.windows
            ),
            _midnight(row.valid_from),
            _midnight(row.valid_to, days=1),
            row.id,
        )


def _midnight(day: date | None, days: int = 0) -> int | None:
    """The beginning of a day of the operator's zone, so many days later; epoch seconds."""
    if day is None:
        return None
    return clock.epoch(datetime.combine(day + timedelta(days=days), time(), clock.zone()))
