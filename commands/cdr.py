"""`flask cdr import|formats|rematch`: call records from files. What becomes of the imports later
is in `cdr_runs.py`.
"""

import csv
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from commands.refusals import on_database
from config import Config
from domain.cdr.column_map import ColumnMap, MapMistake, parse_map
from domain.cdr.dates import DateOrder
from domain.cdr.discovery import Candidates
from domain.cdr.generic import GENERIC
from domain.cdr.record import Reject
from domain.cdr.registry import FORMATS, UnknownFormat, find_format
from domain.cdr.times import parse_zone
from domain.errors import DomainError, InvalidValue, NotFound
from domain.periods import call_detail_window
from models import Client
from services import accounts, clock, import_requests, import_turns, imports
from services.imports import ImportRequest, Outcome, ZoneContradicted
from services.rematch import rematch as rematch_all


class Refused(click.ClickException):
    """Nothing can be done; the sentence says why."""

    exit_code = 2


group = AppGroup("cdr", help="Call records of exchanges.")


@group.command("formats")
def formats() -> None:
    """The formats that are read, one a line."""
    for name in FORMATS:
        click.echo(name)


@group.command("rematch")
@on_database
def rematch() -> None:
    """Look again for the owners of calls that were nobody's when they were imported."""
    with import_turns.one_at_a_time(_config().data_dir, _say_waiting):
        done = rematch_all(now=clock.now())
    click.echo(f"matched {done.matched}, on-net {done.on_net}, still unmatched {done.unmatched}")


@group.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "format_name",
    default="auto",
    show_default=True,
    help="By content (auto), or a name of `cdr formats`.",
)
@click.option(
    "--zone",
    help="Zone of the times in the file: IANA name or ±HH:MM.  [default: CABINET_TIME_ZONE]",
)
@click.option(
    "--strict-zone", is_flag=True, help="Refuse what contradicts the moments in the calls' ids."
)
@click.option(
    "--dates",
    type=click.Choice([order.value for order in DateOrder]),
    help="Order of dates that can be read in two ways: 1/9/2026 is in September by dmy.",
)
@click.option(
    "--map", "map_path", type=click.Path(path_type=Path), help="Map of columns, for generic."
)
@click.option(
    "--exchange",
    default="",
    help="Where the file comes from.  [default: main]",
)
@click.option(
    "--client",
    "account",
    help="Account number: match this client's numbers only.  [default: those of all clients]",
)
@click.option("--discover", is_flag=True, help="Take the numbers of our side for the client's.")
@click.option("--dry-run", is_flag=True, help="Read and count, store nothing.")
@click.option("--rejects", type=click.Path(path_type=Path), help="Write rejected lines there.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a file.")
@on_database
def import_files(files: tuple[Path, ...], **options: object) -> None:
    """Read call records. Repeating an import changes nothing."""
    refused = False
    rejects, as_json = options.pop("rejects"), options.pop("as_json")
    with _rejects_file(rejects) as write_reject:
        request = _request(**options)
        with import_turns.one_at_a_time(_config().data_dir, _say_waiting):
            for file in files:
                refused |= not _import_all(file, request, write_reject, as_json=as_json)
    if refused:
        sys.exit(2)


def _request(  # noqa: PLR0913 - the options of the command
    format_name: str,
    zone: str | None,
    dates: str | None,
    map_path: Path | None,
    exchange: str,
    account: str | None,
    *,
    strict_zone: bool,
    discover: bool,
    dry_run: bool,
) -> dict[str, object]:
    """Options that hold for every file; a wrong one ends the command with one sentence."""
    zone = zone or _config().TIME_ZONE
    if discover and not account:
        raise Refused("--discover needs --client: whose numbers are they?")
    try:
        parse_zone(zone)
        if format_name != "auto":
            find_format(format_name)
        client = _client(account)
        import_requests.find_exchange(exchange, client)
    except UnknownFormat as error:
        names = ", ".join(FORMATS)
        raise Refused(f"no format called {error.values['value']}; there are {names}") from error
    except InvalidValue as error:
        raise Refused(str(error)) from error
    return {
        "format_name": format_name,
        "zone": zone,
        "force_zone": not strict_zone,
        "dates": dates and DateOrder(dates),
        "column_map": _column_map(map_path, format_name),
        "exchange_name": exchange,
        "client": client,
        "discover": discover,
        "dry_run": dry_run,
    }


def _column_map(path: Path | None, format_name: str) -> ColumnMap | None:
    """The map of the format `generic`: it goes with that format and no other."""
    if (path is None) != (format_name != GENERIC.name):
        raise Refused("--map FILE and --format generic go together: neither says enough alone")
    if path is None:
        return None
    try:
        return parse_map(path.read_bytes())
    except OSError as error:
        raise Refused(f"--map {path}: {error.strerror}") from error
    except MapMistake as error:
        raise Refused(f"--map {path}: {error}") from error


def _client(account: str | None) -> Client | None:
    try:
        return accounts.find_client(account) if account else None
    except NotFound as error:
        raise Refused(f"no client with the account number {account}") from error


def _import_all(
    path: Path,
    request: dict[str, object],
    write_reject: Callable[[str, Reject], None],
    *,
    as_json: bool,
) -> bool:
    """Read a file, or each file of an archive that is one of call records; False when something
    was refused.
    """
    try:
        found = [ImportRequest(path=path, member=m, **request) for m in imports.look_inside(path)]
    except DomainError as error:
        _say_refusal(str(path), error, as_json=as_json)
        return False
    if len(found) > 1:
        kept = [one for one in found if imports.is_readable(one)]
        for one in found:
            if kept and one not in kept:
                click.echo(f"{one.name}: not a call record file, left out", err=True)
        found = kept or found
    refused = [one for one in found if not _import_one(one, write_reject, as_json=as_json)]
    return not refused


def _import_one(
    request: ImportRequest,
    write_reject: Callable[[str, Reject], None],
    *,
    as_json: bool,
) -> bool:
    """Read one file and say what was found; False when it was refused."""
    try:
        outcome = imports.import_file(
            request,
            now=clock.now(),
            on_progress=_progress(request.name),
            on_reject=lambda reject: write_reject(request.name, reject),
        )
    except DomainError as error:
        _say_refusal(request.name, error, as_json=as_json)
        return False
    if as_json:
        click.echo(json.dumps(_as_json(outcome), ensure_ascii=False))
    for line in _warnings(outcome):
        click.echo(f"{outcome.file}: {line}", err=True)
    if not as_json:
        for line in _summary(outcome, dry_run=request.dry_run):
            click.echo(line)
    return True


def _say_refusal(file: str, error: DomainError, *, as_json: bool) -> None:
    message = _refusal(file, error)
    if as_json:
        values = {**_as_json(Outcome(file)), "error": message}
        click.echo(json.dumps(values, ensure_ascii=False))
    click.echo(message, err=True)


def _refusal(file: str, error: DomainError) -> str:
    if isinstance(error, UnknownFormat) and error.values["what"] == "format":
        return (
            f"{file}: not a call record file of a known format, nothing of it is stored "
            "(`flask cdr formats` lists those that are read)"
        )
    if isinstance(error, ZoneContradicted):
        return (
            f"{file}: {_zone_error(error.values['error_s'])}: --zone {error.values['value']} seems "
            "wrong, nothing of it is stored"
        )
    message = str(error)
    return message if message.startswith(file) else f"{file}: {message}"


def _zone_error(error_s: int) -> str:
    """By how much times contradict the ids, in words."""
    hours, minutes = divmod(abs(error_s) // 60, 60)
    side = "after" if error_s > 0 else "before"
    return f"the times lie {hours}:{minutes:02} h {side} the moments in the calls' ids"


def _as_json(outcome: Outcome) -> dict[str, object]:
    values = asdict(outcome)
    kept = ("file", "format", "lines", "calls", *outcome.counts)
    return {
        **{name: values[name] for name in kept},
        "first": _iso(outcome.first),
        "last": _iso(outcome.last),
        "rejects": [{"line": r.line, "reason": r.reason} for r in outcome.rejects],
        "discovered": outcome.discovered,
        "warnings": list(_warnings(outcome)),
    }


def _iso(seconds: int | None) -> str | None:
    return None if seconds is None else f"{clock.from_epoch(seconds):%Y-%m-%dT%H:%M:%SZ}"


def _warnings(outcome: Outcome) -> Iterator[str]:
    if outcome.known_since:
        known_since = clock.local(outcome.known_since)
        yield f"the same file was imported before, {known_since:%Y-%m-%d %H:%M}"
    if outcome.resumed_at:
        yield f"an interrupted import goes on after line {outcome.resumed_at}"
    if outcome.zone_error_s:
        yield (
            f"{_zone_error(outcome.zone_error_s)}: is --zone right? What was stored in a wrong "
            "zone is taken out by `flask cdr rollback`"
        )
    if outcome.candidates:
        yield from _no_discovery(outcome.candidates)


def _no_discovery(found: Candidates) -> Iterator[str]:
    """Why --discover found nothing, and what there is to choose from."""
    if found.names_devices:
        why = "no device in it calls, or is called, under its own number"
    else:
        why = "it does not say by which devices the calls went"
    yield f"--discover found no numbers of our side: {why}"
    for side, numbers in (("caller", found.callers), ("called", found.called)):
        if numbers:
            listed = ", ".join(f"{number} ({count})" for number, count in numbers)
            yield f"most frequent as {side}: {listed}; `flask subscriber add` takes what is ours"


def _summary(outcome: Outcome, *, dry_run: bool) -> Iterator[str]:
    counts = ", ".join(f"{name} {count}" for name, count in outcome.counts.items())
    yield f"{outcome.file}: {outcome.format}, {outcome.lines} lines, {outcome.calls} calls"
    yield f"  {counts}" + (" (dry run: nothing stored)" if dry_run else "")
    for reject in outcome.rejects[:5]:
        yield f"  line {reject.line}: {reject.reason}"
    if outcome.rejected > 5:
        yield f"  and {outcome.rejected - 5} more: --rejects FILE writes them all"
    if outcome.our_side:
        new = set(outcome.discovered)
        numbers = (n if n in new else f"{n} (known)" for n in outcome.our_side)
        yield f"  numbers of our side: {', '.join(numbers)}"
    if outcome.first is not None and outcome.last is not None:
        first, last = (clock.local(clock.from_epoch(t)) for t in (outcome.first, outcome.last))
        yield f"  first call {first:%Y-%m-%d %H:%M:%S}, last call {last:%Y-%m-%d %H:%M:%S}"
        yield from _window_hint(first.date(), last.date())
    if outcome.waiting:
        yield (
            f"  {outcome.waiting} of the unmatched tell only the answer or the end of a call and "
            "wait for the file with the other half"
        )
    unowned = outcome.unmatched - outcome.waiting
    if unowned and not outcome.accepted + outcome.duplicates:
        yield (
            "  none of the calls has a number of ours: add the numbers with "
            "`flask subscriber add`, then `flask cdr rematch`"
        )


def _window_hint(first: date, last: date) -> Iterator[str]:
    """What to set when calls lie before the days that a детализация may reach."""
    today, months_back = clock.now().date(), _config().CALL_DETAIL_MONTHS_BACK
    window = call_detail_window(today, months_back)
    if first < window.start:
        needed = (today.year - first.year) * 12 + today.month - first.month
        which = "these calls" if last < window.start else "the earlier calls"
        yield (
            f"  call detail can be ordered from {window.start} on; to order {which} too, start "
            f"the cabinet with CABINET_CALL_DETAIL_MONTHS_BACK={needed}"
        )
    if last > window.end:
        yield f"  the last call lies after today, {window.end}: is --zone right?"


def _progress(file: str) -> Callable[[int], None]:
    if not sys.stderr.isatty():
        return lambda _lines: None
    return lambda lines: click.echo(f"\r{file}: {lines} lines\x1b[K", nl=False, err=True)


def _say_waiting() -> None:
    click.echo("another import is at work, waiting for its end", err=True)


@contextmanager
def _rejects_file(path: Path | None) -> Iterator[Callable[[str, Reject], None]]:
    """A writer of rejected lines: file, line, reason and the fields of the line as CSV."""
    if path is None:
        yield lambda _file, _reject: None
        return
    try:
        file = path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise Refused(f"--rejects {path}: {error.strerror}") from error
    with file:
        writer = csv.writer(file)
        writer.writerow(("file", "line", "reason", "record"))
        yield lambda name, reject: writer.writerow((name, reject.line, reject.reason, *reject.row))


def _config() -> Config:
    return current_app.config["CABINET"]
