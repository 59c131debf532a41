"""What is known of many numbers of a client, read from a file: what is new is added, what differs
is changed, and nothing of it when a line is wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from domain.errors import InvalidValue, NumberEnded
from domain.msisdn import is_full
from domain.subscriber_file import SubscriberLine, read_subscribers
from domain.subscribers import SubscriberStatus
from domain.tables import Mistake
from models import Client, Subscriber
from services import audit, subscriber_changes, subscribers
from services.audit import AuditEventKind, By
from services.subscriber_changes import SubscriberChanges
from services.subscribers import CHUNK, NewSubscriber
from services.transactions import lock_client, write_tx


class SubscribersRefused(InvalidValue):
    """A file with mistakes in it: nothing was stored. `mistakes` names each with its line."""

    code = "statement_refused"

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__(f"{len(mistakes)} mistakes", what="file", value=len(mistakes))
        self.mistakes = mistakes


@dataclass
class Imported:
    """What a file brought."""

    added: list[NewSubscriber] = field(default_factory=list)
    changed: list[tuple[str, list[str]]] = field(default_factory=list)  # number, what of it
    same: int = 0
    ignored: list[str] = field(default_factory=list)  # titles of columns without a meaning here


def import_subscribers(client: Client, content: bytes, *, dry_run: bool, by: By) -> Imported:
    """Take over what a file says of the client's numbers; with `dry_run` only tell. The same file
    again changes nothing. Raises `InvalidValue`, `SubscribersRefused`.
    """
    told = read_subscribers(content)
    with write_tx():
        lock_client(client)
        work = _Work(client, told.lines)
        work.look()
        if mistakes := sorted(told.mistakes + work.mistakes):
            raise SubscribersRefused(mistakes)
        if not dry_run:
            work.store(by)
    work.imported.ignored = told.ignored
    return work.imported


class _Work:
    """A file beside what is held."""

    def __init__(self, client: Client, lines: Sequence[SubscriberLine]) -> None:
        self._client, self._lines = client, lines
        self._held = {row.number: row for row in Subscriber.of(client)}
        self._numbers = {row.id: row.number for row in self._held.values()}
        self._changes: list[tuple[Subscriber, dict[str, Any]]] = []
        self.imported = Imported()
        self.mistakes: list[Mistake] = []

    def look(self) -> None:
        """Find what is to be done, and what is wrong."""
        taken = self._taken()
        self._check_connections()
        for line in self._lines:
            held = self._held.get(line.number)
            if held is not None:
                self._compare(line, held)
            elif line.number in taken:
                self.mistakes.append(Mistake(line.line, "number_taken", line.number))
            else:
                self._add(line)

    def store(self, by: By) -> None:
        """Inside `write_tx`: do it."""
        subscribers.add_subscribers(self._client, self.imported.added, now=by.now)
        for held, values in self._changes:
            subscriber_changes.write(held, values)
        if self._changes:
            audit.record_by(
                AuditEventKind.SUBSCRIBER_CHANGED,
                by,
                client=self._client,
                subject=f"client:{self._client.id}",
                count=len(self._changes),
            )

    def _add(self, line: SubscriberLine) -> None:
        new = NewSubscriber(
            line.number,
            line.full_name or "",
            connection=self._held.get(line.connection or ""),
            status=line.status or SubscriberStatus.ACTIVE,
            status_reason=line.status_reason or "",
        )
        self.imported.added.append(new)

    def _compare(self, line: SubscriberLine, held: Subscriber) -> None:
        told: SubscriberChanges = {}
        for name in ("full_name", "status", "status_reason"):
            if (value := getattr(line, name)) is not None:
                told[name] = value  # type: ignore[literal-required]
        if line.connection is not None:
            told["connection"] = self._held.get(line.connection)
        try:
            values = subscriber_changes.differing(held, told)
        except NumberEnded as ended:
            day = f"{ended.values['day']:%d.%m.%Y}"
            self.mistakes.append(Mistake(line.line, "number_ended", day))
            return
        if values:
            self._changes.append((held, values))
            self.imported.changed.append((line.number, list(values)))
        else:
            self.imported.same += 1

    def _check_connections(self) -> None:
        """A connection is held already and belongs to none: as the file leaves them all."""
        owners = {row.number: self._number_of(row.connection_id) for row in self._held.values()}
        before = dict(owners)
        named = [line for line in self._lines if line.connection is not None]
        owners.update({line.number: line.connection for line in named})
        have_numbers = set(owners.values())
        for line in named:
            to = line.connection
            if not to or to == before.get(line.number):
                continue
            if to not in self._held:
                self.mistakes.append(Mistake(line.line, "no_connection", to))
            elif owners[to] or self._held[to].valid_to or line.number in have_numbers:
                self.mistakes.append(Mistake(line.line, "connection_unfit", to))

    def _number_of(self, subscriber_id: int | None) -> str:
        return self._numbers.get(subscriber_id, "") if subscriber_id else ""

    def _taken(self) -> set[str]:
        """New full numbers that another client has, or is going to have."""
        numbers = iter(
            line.number
            for line in self._lines
            if line.number not in self._held and is_full(line.number)
        )
        found: set[str] = set()
        while chunk := list(islice(numbers, CHUNK)):
            rows = Subscriber.across_clients(Subscriber.number)
            found |= {row.number for row in rows.where(Subscriber.number.in_(chunk))}
        return found
