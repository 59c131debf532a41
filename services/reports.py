"""Files of orders: finds the rows, adds them up and has them written. What a file looks like is
decided in `domain/writers/`; who may have it, elsewhere.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, nullcontext
from datetime import date, datetime
from functools import partial, reduce
from itertools import chain, islice
from operator import and_
from pathlib import Path
from typing import Any

from flask import current_app
from peewee import JOIN, Expression, ModelSelect, SqliteDatabase, fn

from domain.call_costs import Cost, Costs
from domain.call_detail import (
    CallRow,
    NumberTotals,
    ReportHead,
    Sums,
    Totals,
    Wording,
    directions_of,
    hidden_peer,
)
from domain.cdr.record import CallDirection, Disposition
from domain.imports import ImportState
from domain.languages import language
from domain.orders import Direction, FileFormat, OrderKind
from domain.periods import DateRange
from domain.writers import call_detail_csv, call_detail_pdf, call_detail_xlsx
from models import Call, Client, Exchange, ImportRun, Order, OrderSubscriber, Subscriber, db
from services import (
    call_costs,
    charge_reports,
    clock,
    faults,
    invoice_reports,
    scopes,
    statement_reports,
    storage,
)
from services.call_detail_words import wording_of
from services.rendering import FormatNotMade, Progress, Rendered, Renderer, Report
from services.transactions import little_memory, read_tx
from texts import gettext as _

PROGRESS_ROWS = 1000
PROGRESS_NUMBERS = 20
NO_COST = Cost()
DIRECTION_CODES = {Direction.OUT: CallDirection.OUT, Direction.IN: CallDirection.IN}
MEDIA_TYPES = {
    FileFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    FileFormat.CSV: "text/csv; charset=utf-8",
    FileFormat.PDF: "application/pdf",
}

Writer = Callable[[Path, ReportHead, Totals, Iterator[CallRow], Wording], None]


def render(
    order: Order,
    *,
    made_at: datetime,
    progress: Progress,
    naming: storage.Naming = nullcontext,
) -> Rendered:
    """Make the file of `order`; the same order, data and `made_at` give the same bytes.

    `progress(rows done, rows in all)` is called as rows are counted (then «in all» is None) and
    written, and may raise to stop; the finished file takes its name inside of `naming()`, which may
    raise too. Raises `FormatNotMade`, and `OSError` when the disk is full; then nothing is left
    behind.
    """
    file_format = FileFormat(order.params["format"])
    renderer = RENDERERS.get((OrderKind(order.kind), file_format))
    if renderer is None:
        raise FormatNotMade(f"{order.kind} as {file_format}")
    relative = f"{order.key}/1.{file_format}"
    path = current_app.config["CABINET"].artefact_dir / relative
    with storage.atomic_file(path, naming) as temporary, _scratch_in(path.parent):
        with language(order.language):
            report = renderer(order, temporary, made_at, progress)
        faults.reach("order.file_written")
    faults.reach("order.file_named")
    return Rendered(
        path=relative,
        display_name=report.display_name,
        media_type=MEDIA_TYPES[file_format],
        size=path.stat().st_size,
        sha256=storage.sha256_of(path),
        rows=report.rows,
        summary=report.summary,
    )


def formats_of(kind: OrderKind) -> tuple[FileFormat, ...]:
    """The formats that can be ordered now, in the order they are shown."""
    return tuple(each for each in FileFormat if (kind, each) in RENDERERS)


@contextmanager
def _scratch_in(folder: Path) -> Iterator[None]:
    """Let libraries keep their scratch files in `folder`: nothing goes outside the data dir."""
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before


# --- Call detail ----------------------------------------------------------------------------------


def _call_detail(
    write: Writer, order: Order, path: Path, made_at: datetime, progress: Progress
) -> Report:
    with little_memory(), read_tx(), _rows(order) as rows:  # the cursor is closed first
        totals = _totals(order, progress)
        head = _head(order, made_at)
        write(path, head, totals, _with_progress(rows, totals.rows, progress), wording_of(totals))
    return Report(_display_name(order, head), totals.rows, _summary(head, totals))


RENDERERS: dict[tuple[OrderKind, FileFormat], Renderer] = {
    (OrderKind.CALL_DETAIL, FileFormat.XLSX): partial(_call_detail, call_detail_xlsx.write),
    (OrderKind.CALL_DETAIL, FileFormat.CSV): partial(_call_detail, call_detail_csv.write),
    (OrderKind.CALL_DETAIL, FileFormat.PDF): partial(_call_detail, call_detail_pdf.write),
    **charge_reports.RENDERERS,
    **invoice_reports.RENDERERS,
    **statement_reports.RENDERERS,
}


def period_of(order: Order) -> DateRange:
    """The days an order is about."""
    params = order.params
    return DateRange(date.fromisoformat(params["start"]), date.fromisoformat(params["end"]))


def _head(order: Order, made_at: datetime) -> ReportHead:
    client = Client.get_by_id(order.client_id)
    return ReportHead(
        operator_name=current_app.config["CABINET"].OPERATOR_NAME,
        order_number=order.number,
        client_name=client.name,
        account_no=client.account_no,
        period=period_of(order),
        zone=clock.zone(),
        direction=Direction(order.params["direction"]),
        excluded=scopes.excluded_of(order),
        made_at=clock.local(made_at),
        data_until=_data_until(client, made_at),
        hides_peers=_hides_peers(order, client),
        destination_of=call_costs.destination_of,
    )


def _hides_peers(order: Order, client: Client) -> bool:
    """Whether the policy for this client shows callers in part, and the report has any."""
    incoming = Direction.IN in directions_of(Direction(order.params["direction"]))
    return incoming and client.hide_incoming_peers


def _data_until(client: Client, made_at: datetime) -> datetime | None:
    """The last call in the files that had been read by `made_at`, exchanges of others left out."""
    last = (
        ImportRun.select(fn.MAX(ImportRun.last_at))
        .join(Exchange)
        .where(Exchange.client.is_null() | (Exchange.client == client))
        .where(ImportRun.state == ImportState.DONE, ImportRun.finished_at <= made_at)
        .scalar()
    )
    return None if last is None else clock.local(min(clock.from_epoch(last), made_at))


def count_calls(subscribers: ModelSelect, period: DateRange, direction: Direction) -> int:
    """How many calls a report on `subscribers` would list now."""
    return (
        Call.select()
        .where(
            Call.subscriber_id.in_(subscribers.select(Subscriber.id)), _is_within(period, direction)
        )
        .count()
    )


def _is_wanted(order: Order) -> Expression:
    """Condition on `Call`: of the joined subscriber, in the period, in the chosen direction."""
    within = _is_within(period_of(order), Direction(order.params["direction"]))
    return (Call.subscriber_id == Subscriber.id) & within


def _is_within(period: DateRange, direction: Direction) -> Expression:
    first, after = (clock.epoch(moment) for moment in period.bounds(clock.zone()))
    codes = [DIRECTION_CODES[each] for each in directions_of(direction)]
    conditions = [Call.started_at >= first, Call.started_at < after]
    if len(codes) < len(DIRECTION_CODES):
        conditions.append(Call.direction == codes[0])
    return reduce(and_, conditions)


def _chosen(order: Order, *fields: Any) -> ModelSelect:
    """The order's subscribers by number.

    CROSS JOIN makes SQLite keep this order of the tables: it walks the client's numbers by their
    index and each number's calls by the primary key, so that nothing is sorted however long the
    report. To PostgreSQL it means an inner join.
    """
    return (
        Subscriber.across_clients(*fields)
        .join(OrderSubscriber, JOIN.CROSS)
        .where(Subscriber.client == order.client_id)
        .where(OrderSubscriber.order == order, OrderSubscriber.subscriber_id == Subscriber.id)
    )


def _totals(order: Order, progress: Progress) -> Totals:
    """The sums. On SQLite they come number by number: `progress(0, None)` is told meanwhile, for it
    shows that somebody is at work, and may stop it.
    """
    costs = _costs(order, progress)
    by_number = costs.by_number if costs else {}
    numbers = []
    for key, number, name, unrated, *sums in _totals_query(order).tuples().iterator():
        if len(numbers) % PROGRESS_NUMBERS == 0:
            progress(0, None)
        out, incoming = Sums(*map(int, sums[:4])), Sums(*map(int, sums[4:]))
        cost = by_number.get(key, NO_COST)
        numbers.append(NumberTotals(number, name, out, incoming, cost, unrated))
    return Totals(numbers, costs)


def _costs(order: Order, progress: Progress) -> Costs | None:
    """What the calls cost; None when only incoming ones are listed."""
    direction = Direction(order.params["direction"])
    if Direction.OUT not in directions_of(direction):
        return None
    period = period_of(order)
    chosen = [key for (key,) in _chosen(order, Subscriber.id).tuples().iterator()]
    return call_costs.read(_told(chosen, progress), _is_within(period, direction), period)


def _told(numbers: Iterable[int], progress: Progress) -> Iterator[int]:
    """`numbers` passed on; `progress(0, None)` is told every now and then."""
    for n, number in enumerate(numbers):
        if n % PROGRESS_NUMBERS == 0:
            progress(0, None)
        yield number


def _calls(order: Order, *columns: Any) -> ModelSelect:
    return _chosen(order, *columns).join(Call, JOIN.CROSS).where(_is_wanted(order))


def _totals_query(order: Order) -> ModelSelect:
    columns: list[Any] = [fn.COUNT(Call.seq).filter(call_costs.UNRATED_CALL)]
    for code in (DIRECTION_CODES[Direction.OUT], DIRECTION_CODES[Direction.IN]):
        one = Call.direction == code
        answered = one & (Call.disposition == Disposition.ANSWERED)
        columns += [
            fn.COUNT(Call.seq).filter(one),
            fn.COUNT(Call.seq).filter(answered),
            fn.COALESCE(fn.SUM(Call.duration_s).filter(one), 0),
            fn.COALESCE(fn.SUM(Call.billable_s).filter(one), 0),
        ]
    return (
        _chosen(order, Subscriber.id, Subscriber.number, Subscriber.full_name, *columns)
        .join(Call, JOIN.LEFT_OUTER, on=_is_wanted(order))
        .group_by(Subscriber.number, Subscriber.id)
        .order_by(Subscriber.number, Subscriber.id)
    )


@contextmanager
def raw_rows(order: Order) -> Iterator[Iterator[CallRow]]:
    """The calls, by number and then by time. Read as they come: memory does not grow with them."""
    sql, params = _rows_query(order).sql()
    if isinstance(db.obj, SqliteDatabase):
        with closing(db.execute_sql(sql, params)) as cursor:
            yield cursor
        return
    with db.connection().cursor(name="report") as cursor:  # kept by the server, fetched in parts
        cursor.itersize = 5000
        cursor.execute(sql, params)
        yield cursor


@contextmanager
def _rows(order: Order) -> Iterator[Iterator[CallRow]]:
    """The calls as the report shows them. Where the policy says so, callers lose their last digits
    here, for every form of the report.
    """
    hides_peers = _hides_peers(order, Client.get_by_id(order.client_id))
    with raw_rows(order) as rows:
        yield map(_with_hidden_peer, rows) if hides_peers else rows


def _with_hidden_peer(raw: CallRow) -> CallRow:
    row = CallRow._make(raw)
    if row.direction != CallDirection.IN:
        return row
    return row._replace(peer=hidden_peer(row.peer))


def _rows_query(order: Order) -> ModelSelect:
    return _calls(
        order,
        Call.started_at,
        Call.direction,
        Call.number,
        Subscriber.full_name,
        Call.peer,
        Call.disposition,
        Call.duration_s,
        Call.billable_s,
        Call.uid,
        Call.rating,
        Call.price,
        Call.billed_s,
        Call.package_s,
        Call.rate_id,
    ).order_by(Subscriber.number, Call.started_at, Call.seq)


def _with_progress(rows: Iterator[CallRow], total: int, progress: Progress) -> Iterator[CallRow]:
    def batches() -> Iterator[list[CallRow]]:
        done = 0
        progress(done, total)
        while batch := list(islice(rows, PROGRESS_ROWS)):
            yield batch
            done += len(batch)
            progress(done, total)

    return chain.from_iterable(batches())  # no frame of Python between a row and its writer


def _summary(head: ReportHead, totals: Totals) -> dict[str, Any]:
    by_direction = {}
    for direction in directions_of(head.direction):
        sums = totals.of(direction)
        by_direction[direction.value] = {
            "calls": sums.calls,
            "answered": sums.answered,
            "duration_s": sums.duration_s,
            "billable_s": sums.billable_s,
        }
    return {
        "numbers": len(totals.numbers),
        "calls": totals.rows,
        "control_sum": totals.control_sum,
        **({"hides_peers": True} if head.hides_peers else {}),
        "data_until": head.data_until and head.data_until.isoformat(),
        "by_direction": by_direction,
        **({"cost": _cost_summary(totals)} if totals.costs else {}),
    }


def _cost_summary(totals: Totals) -> dict[str, int]:
    whole = totals.costs.whole if totals.costs else NO_COST
    return {
        "billed_s": whole.billed_s,
        "net": whole.net,
        "vat": whole.vat,
        "total": whole.total,
        "unrated": totals.unrated,
    }


def _display_name(order: Order, head: ReportHead) -> str:
    name = _("Call detail {start}–{end} No. {number}").format(
        start=head.period.start, end=head.period.end, number=head.order_number
    )
    return f"{name}.{order.params['format']}"
