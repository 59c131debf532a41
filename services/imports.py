"""Files of call records into calls. A file is read in batches, each its own transaction, with the
counts beside the rows: killed anywhere and repeated, it goes on where it stopped.
"""

import gc
import hashlib
import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, tzinfo
from itertools import islice
from pathlib import Path

from domain.cdr.archives import Member, members
from domain.cdr.discovery import discover, find_candidates
from domain.cdr.generic import Generic
from domain.cdr.record import Half, Inner, Leg, Reject, Skip
from domain.cdr.registry import Format, UnknownFormat, detect, find_format
from domain.cdr.source import Source
from domain.cdr.times import parse_zone, zone_error_s
from domain.errors import InvalidValue, NotFound
from domain.imports import ImportState
from models import ImportRun, Subscriber, UnmatchedLeg
from services import audit, call_store, clock, faults, fresh_calls
from services.audit import AuditEventKind
from services.call_book import CallBook
from services.call_store import Sighting
from services.half_store import HalfStore, Met, Whole
from services.import_requests import (
    ImportRequest,
    Outcome,
    ZoneChanged,
    ZoneContradicted,
    find_exchange,
    keep_exchange,
)
from services.matching import Matcher
from services.subscribers import NewSubscriber, add_subscribers
from services.transactions import checkpoint, one_writes_at_a_time, own_checkpoints, write_tx

BATCH = 5_000  # lines in one transaction at most; fewer where it takes long: orders wait for it
LEAST_BATCH = 500
MOVED_AT_ONCE = 5_000  # lines, of a page or so each, between two checkpoints
SLOW_S, QUICK_S = 0.15, 0.05  # a transaction beyond these makes the next one smaller, or larger
REJECTS_KEPT = 100  # in the table; the rest goes to the file that the operator names
REJECTS_SHOWN = 10_000
SAMPLE = 200  # records of a batch looked at to find a wrong zone
ZONE_SAMPLE = 1_000  # the first legs of a file, looked at before anything is stored
ZONE_STEP_S = 1800  # zones lie half hours apart: what differs by that is no slow clock
FARTHEST_ZONES_S = 26 * 3600  # what differs by more is no matter of zones

Event = Leg | Half | Inner | Reject | Skip


def look_inside(path: Path) -> list[Member]:
    """The files that are in a file: itself, or what an archive holds.

    Raises `NotFound` without the file, `RefusedArchive` for an archive that could do harm.
    """
    try:
        return members(lambda: path.open("rb"))
    except OSError as error:
        raise NotFound(f"{path}: {error.strerror}", what="file", name=str(path)) from error


def import_file(
    request: ImportRequest,
    *,
    now: datetime,
    on_progress: Callable[[int], None] = lambda _lines: None,
    on_reject: Callable[[Reject], None] = lambda _reject: None,
) -> Outcome:
    """Read one file. Call it inside `import_turns.one_at_a_time`.

    Raises `NotFound` without the file, `UnknownFormat` when no reader knows it, `InvalidValue`
    for a zone, format or exchange that cannot be, dates or a map that cannot be understood, a
    harmful archive, one of several files, and (`ZoneContradicted`) for times that contradict the
    calls' ids: then nothing is stored. A dry run tells of the contradiction in its outcome.
    """
    if request.member is None:
        request = replace(request, member=_only_member(request.path))
    source = Source(request.member.open, request.dates)
    reader = _find_reader(request, source)
    events = reader.read(source, parse_zone(request.zone))
    run = _Run(request, reader, source, now)
    run.check_zone()
    try:
        run.prepare()
        run.read(events, on_progress, on_reject)
        run.finish()
    except Exception as error:
        run.fail(error)
        raise
    return run.outcome


def is_readable(request: ImportRequest) -> bool:
    """Whether a member of an archive is a file of call records, so far as can be told."""
    try:
        _find_reader(request, Source(request.member.open, request.dates))
    except UnknownFormat:
        return False
    return True


def _only_member(path: Path) -> Member:
    found = look_inside(path)
    if len(found) > 1:
        raise InvalidValue(f"{path} holds {len(found)} files", what="file", value=str(path))
    return found[0]


def _find_reader(request: ImportRequest, source: Source) -> Format:
    name = request.name
    try:
        if not source.head.strip():
            raise UnknownFormat(f"{name} is empty", what="file", value=name)
    except OSError as error:
        raise NotFound(f"{name}: {error.strerror}", what="file", name=name) from error
    if request.format_name == "auto":
        return detect(source)
    reader = find_format(request.format_name)
    if reader.name == Generic.name:
        return Generic(request.column_map)
    if not reader.recognises(source):
        raise UnknownFormat(f"{name} has no line of {reader.name}", what="file", value=name)
    return reader


@contextmanager
def _no_collector() -> Iterator[None]:
    """Keep the collector of cycles from walking over each batch again and again: batches have no
    cycles, and are freed without it. It took a sixth of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Distinct:
    """Counts the different ids of a file: eight bytes for each id told, where a set would take ten
    times as much. In parts, so that only one of them has to be a set at the end.
    """

    PARTS = 64

    def __init__(self) -> None:
        self._hashes = [array("q") for _ in range(self.PARTS)]

    def add(self, ids: Iterable[str]) -> None:
        """Take note of ids."""
        hashes, last = self._hashes, self.PARTS - 1
        for number in map(hash, ids):
            hashes[number & last].append(number)

    def count(self) -> int:
        """How many different ones there were."""
        return sum(len(set(part)) for part in self._hashes)


class _Run:
    """One import under way: its row, its counts and what it needs to know of the data."""

    def __init__(
        self, request: ImportRequest, reader: Format, source: Source, now: datetime
    ) -> None:
        self.request, self.reader, self.source, self.now = request, reader, source, now
        self.zone = parse_zone(request.zone)
        self.outcome = Outcome(request.name, reader.name)
        self.exchange = find_exchange(request.exchange_name, request.client)
        self.row: ImportRun | None = None
        self._calls = _Distinct()
        self._at_once = BATCH
        self._unmoved = 0  # lines of which pages stand in SQLite's log still, at most
        self._dry_seen: set[tuple[str, int]] = set()
        self._on_reject: Callable[[Reject], None] = lambda _reject: None

    def check_zone(self) -> None:
        """Look at the beginning of the file; raise `ZoneContradicted` for a wrong zone."""
        legs = islice(self._legs(), ZONE_SAMPLE)
        error_s = zone_error_s((leg.started_at, leg.uid) for leg in legs)
        self.outcome.zone_error_s = error_s
        may_go_on = self.request.force_zone or self.request.dry_run
        is_zone = error_s % ZONE_STEP_S == 0 and abs(error_s) <= FARTHEST_ZONES_S
        if error_s and is_zone and not may_go_on:
            zone = self.request.zone
            raise ZoneContradicted(
                "the times contradict the ids", what="zone", value=zone, error_s=error_s
            )

    def prepare(self) -> None:
        """Take up the row of the run, learn whose numbers are whose, register new ones."""
        self.outcome.sha256 = self._digest()
        self._check_other_zones()
        if not self.request.dry_run:
            self._open_row()
        self.matcher = Matcher(
            only=self.request.client,
            extensions_of=self.request.client or self.exchange.client,
        )
        if self.request.discover:
            self._discover()
        kept = UnmatchedLeg.select().where(UnmatchedLeg.exchange == self.exchange)
        self.has_unmatched = self.exchange.id is not None and kept.exists()
        run_id = self.row.id if self.row else 0
        self.halves = HalfStore(self.exchange, run_id, write=not self.request.dry_run)
        self.book = CallBook()

    def _check_other_zones(self) -> None:
        """Raise `ZoneChanged` when the same file is stored at other times: reading it once more
        would add to its calls, not replace them.
        """
        stored = ImportRun.select().where(
            ImportRun.file_sha256 == self.outcome.sha256,
            ImportRun.exchange == self.exchange,
            ImportRun.state == ImportState.DONE,
            ImportRun.zone != self.request.zone,
        )
        for run in stored if self.exchange.id is not None else ():
            if self._first_start(parse_zone(run.zone)) != self._first_start(self.zone):
                raise ZoneChanged(
                    f"{self.request.name} is stored already, read in zone {run.zone}: take that "
                    f"out first by `flask cdr rollback {run.id}`",
                    what="zone",
                    value=run.zone,
                    run=run.id,
                )

    def _first_start(self, zone: tzinfo) -> int | None:
        return next((leg.started_at for leg in self._legs(zone)), None)

    def _digest(self) -> str:
        """Of what is read, packed or not. An archive that lies is found out here, before a line
        of it is stored.
        """
        with self.request.member.open() as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def _open_row(self) -> None:
        digest = self.outcome.sha256
        with write_tx():
            if self.exchange.id is None:
                self.exchange = keep_exchange(self.request.exchange_name, self.request.client)
            same = ImportRun.select().where(
                ImportRun.file_sha256 == digest, ImportRun.exchange == self.exchange
            )
            done = same.where(ImportRun.state == ImportState.DONE).order_by(ImportRun.id.desc())
            known = done.first()
            self.outcome.known_since = known and known.finished_at
            started = same.where(
                ImportRun.state.in_((ImportState.RUNNING, ImportState.FAILED)),
                ImportRun.upload_key == "",
                ImportRun.format == self.reader.name,
                ImportRun.zone == self.request.zone,
                ImportRun.options == self.request.options,
                ImportRun.client.is_null()
                if self.request.client is None
                else ImportRun.client == self.request.client,
            )
            self.row = self.request.run or started.order_by(ImportRun.id).first()
            if self.row is None:
                self.row = ImportRun.create(
                    exchange=self.exchange,
                    client=self.request.client,
                    file_name=Path(self.request.name).name,
                    file_sha256=digest,
                    format=self.reader.name,
                    zone=self.request.zone,
                    options=self.request.options,
                    started_at=self.now,
                )
            elif self.request.run is not None:
                values = {"state": ImportState.RUNNING, "file_sha256": digest}
                ImportRun.update(values, format=self.reader.name).where(
                    ImportRun.id == self.row.id
                ).execute()
            ImportRun.update(state=ImportState.FAILED, error="interrupted").where(
                ImportRun.state == ImportState.RUNNING,
                ImportRun.id != self.row.id,
                ImportRun.upload_key == "",
            ).execute()  # their processes are gone: we hold the lock
        self.outcome.resumed_at = self.outcome.lines = self.row.lines
        for name in self.outcome.counts:
            setattr(self.outcome, name, getattr(self.row, name))

    def _discover(self) -> None:
        client = self.request.client
        if client is None:
            raise InvalidValue("discovery needs a client", what="client", value="")
        known = {row.number for row in Subscriber.of(client, Subscriber.number)}
        found = discover(self._legs())
        self.outcome.our_side = found
        self.outcome.discovered = [number for number in found if number not in known]
        if not found:
            self.outcome.candidates = find_candidates(self._legs())
        if self.request.dry_run:
            for ordinal, number in enumerate(self.outcome.discovered, 1):
                self.matcher.add(number, -ordinal)
        elif self.outcome.discovered:
            news = [NewSubscriber(number) for number in self.outcome.discovered]
            add_subscribers(client, news, now=self.now)
            self.matcher = Matcher(only=client, extensions_of=client)

    def _legs(self, zone: tzinfo | None = None) -> Iterator[Leg]:
        """The file's legs, from its beginning; read in another `zone` than was asked for."""
        events = self.reader.read(self.source, zone or self.zone)
        return (event for event in events if isinstance(event, Leg))

    def read(
        self,
        events: Iterator[Event],
        on_progress: Callable[[int], None],
        on_reject: Callable[[Reject], None],
    ) -> None:
        """Batch by batch. Lines that an interrupted run has stored are read for their calls and
        rejects alone.
        """
        self._on_reject = on_reject
        with _no_collector(), own_checkpoints():
            self._read_batches(events, on_progress)

    def _read_batches(self, events: Iterator[Event], on_progress: Callable[[int], None]) -> None:
        stored = self.outcome.resumed_at
        while batch := list(islice(events, min(stored, BATCH) or self._at_once)):
            self._note(batch)
            if stored:
                stored -= len(batch)
            else:
                self._take(batch)
            on_progress(self.outcome.lines)

    def _note(self, batch: list[Event]) -> None:
        """What is told of a file whether its lines are stored now or were before."""
        legs = [event for event in batch if isinstance(event, Leg)]
        others = [event for event in batch if not isinstance(event, Leg)]
        halves = [event for event in others if isinstance(event, Half)]
        self._calls.add(event.uid for event in (*legs, *halves))
        starts = [leg.started_at for leg in legs]
        starts += [half.at for half in halves if half.is_answer]
        outcome = self.outcome
        if starts:
            starts += (at for at in (outcome.first, outcome.last) if at is not None)
            outcome.first, outcome.last = min(starts), max(starts)
        if not outcome.zone_error_s:
            outcome.zone_error_s = zone_error_s((leg.started_at, leg.uid) for leg in legs[:SAMPLE])
        for event in others:
            if isinstance(event, Reject):
                self._note_reject(event)

    def _note_reject(self, reject: Reject) -> None:
        if len(self.outcome.rejects) < REJECTS_SHOWN:
            self.outcome.rejects.append(reject)
        self._on_reject(reject)

    def _take(self, batch: list[Event]) -> None:
        """Store one batch and its counts: together, or neither."""
        outcome = self.outcome
        outcome.lines += len(batch)
        kinds = Counter(map(type, batch))
        outcome.rejected += kinds[Reject]
        outcome.skipped += kinds[Skip] + kinds[Inner]
        if self.request.dry_run:
            self._store(self.halves.meet(batch))
            return
        client = self.request.client
        fresh = fresh_calls.split(self.exchange, self.row.id, self.matcher, batch)
        outcome.accepted += fresh.calls
        outcome.unmatched += len(fresh.nobodys)
        began = time.monotonic()
        with write_tx():
            fresh_calls.store(self.exchange, self.row.id, client and client.id, fresh, self.book)
            self._store(self.halves.meet(fresh.others))
            self._save_counts()
            faults.reach("import.storing")
        faults.reach("import.stored")
        self._keep_pace(time.monotonic() - began)
        self._unmoved += len(batch)
        if self._unmoved >= MOVED_AT_ONCE:
            checkpoint()
            self._unmoved = 0

    def _keep_pace(self, took_s: float) -> None:
        """Take fewer lines at once after a transaction that kept others waiting."""
        if not one_writes_at_a_time():
            return
        if took_s > SLOW_S:
            self._at_once = max(self._at_once // 2, min(LEAST_BATCH, BATCH))
        elif took_s < QUICK_S:
            self._at_once = min(self._at_once * 2, BATCH)

    def _store(self, met: Met) -> None:
        """Give legs to their numbers and count them. A dry run stores nothing."""
        matched, unmatched = [], []
        for whole in met.wholes:
            seen = self.matcher.see(whole.leg)
            (matched if seen else unmatched).append((whole, seen))
        sightings = [Sighting(whole.leg.uid, seen) for whole, seen in matched]
        keys = [(whole.leg.uid, whole.leg.leg) for whole, _seen in matched]
        if self.request.dry_run:
            fresh = self._try([whole.leg for whole, _seen in matched], sightings)
        else:
            run_id, client = self.row.id, self.request.client
            known = self._match_kept(keys) if self.has_unmatched else set()
            fresh = call_store.store_calls(self.exchange, run_id, sightings, book=self.book)
            for n, key in enumerate(keys):
                if key in known:  # new to the calls, though not to us
                    fresh[n] = True
                    known.remove(key)
            legs = [whole.leg for whole, _seen in unmatched]
            call_store.store_unmatched(self.exchange, client and client.id, run_id, legs)
        for (whole, _seen), is_fresh in zip(matched, fresh, strict=True):
            self._count_matched(whole, is_fresh=is_fresh)
        self.outcome.unmatched += sum(1 + whole.lines_after for whole, _seen in unmatched)
        self._count_halves(met)

    def _match_kept(self, keys: list[tuple[str, int]]) -> set[tuple[str, int]]:
        """Legs that were nobody's and are somebody's now: calls of the imports that told them."""
        kept = call_store.kept_unmatched(self.exchange, keys)
        for run_id, legs in kept.items():
            sightings = [Sighting(leg.uid, self.matcher.see(leg)) for leg in legs]
            call_store.store_calls(self.exchange, run_id, sightings, book=self.book)
        known = {(leg.uid, leg.leg) for legs in kept.values() for leg in legs}
        call_store.forget_unmatched(self.exchange, known)
        return known

    def _try(self, legs: list[Leg], sightings: list[Sighting]) -> list[bool]:
        """What storing would say, without storing."""
        fresh = call_store.store_calls(self.exchange, 0, sightings, book=None)
        for n, leg in enumerate(legs):
            fresh[n] = fresh[n] and (leg.uid, leg.leg) not in self._dry_seen
            self._dry_seen.add((leg.uid, leg.leg))
        return fresh

    def _count_matched(self, whole: Whole, *, is_fresh: bool) -> None:
        """One leg, and the lines that waited for it: until now they were among the unmatched."""
        lines = 1 + whole.lines_before
        if is_fresh:
            self.outcome.accepted += lines
        else:
            self.outcome.duplicates += lines
        self.outcome.unmatched -= whole.lines_before
        self.outcome.duplicates += whole.lines_after

    def _count_halves(self, met: Met) -> None:
        """A half that waits is kept for later, as an unmatched leg is, and counted so."""
        self.outcome.unmatched += met.waiting + met.unmatched
        self.outcome.duplicates += met.duplicates
        self.outcome.rejected += len(met.rejects)
        for reject in met.rejects:
            self._note_reject(reject)

    def _save_counts(self, **more: object) -> None:
        values = {"lines": self.outcome.lines, **self.outcome.counts, **more}
        ImportRun.update(**values).where(ImportRun.id == self.row.id).execute()

    def _price_what_hangs_together(self) -> None:
        """Calls that use packages. Which of them an interrupted run has stored, nobody knows any
        more: then all of the file's months are gone through.
        """
        first, last = self.outcome.first, self.outcome.last
        if self.outcome.resumed_at and first is not None and last is not None:
            days = (clock.local(clock.from_epoch(at)).date() for at in (first, last))
            self.book.catch_up(*days)
        else:
            self.book.catch_up()

    def finish(self) -> None:
        """Close the run's row and write it into the trail."""
        outcome = self.outcome
        outcome.calls = self._calls.count()
        outcome.waiting = self.halves.waiting_lines()
        if self.request.dry_run:
            return
        self._price_what_hangs_together()
        with write_tx():
            self._save_counts(
                state=ImportState.DONE,
                error="",
                zone_error_s=outcome.zone_error_s,
                calls=outcome.calls,
                first_at=outcome.first,
                last_at=outcome.last,
                rejects=[
                    {"line": reject.line, "reason": reject.reason}
                    for reject in outcome.rejects[:REJECTS_KEPT]
                ],
                finished_at=self.now,
            )
            audit.record(
                AuditEventKind.RECORDS_IMPORTED,
                now=self.now,
                user=self.row.user,
                client=self.request.client,
                subject=f"import_run:{self.row.id}",
                lines=outcome.lines,
                **outcome.counts,
            )

    def fail(self, error: Exception) -> None:
        """Leave the reason in the row; the next import of the file goes on from there."""
        if self.row is not None:
            with write_tx():
                ImportRun.update(
                    state=ImportState.FAILED, error=f"{type(error).__name__}: {error}"[:255]
                ).where(ImportRun.id == self.row.id).execute()
