"""Invoices of a month asked for on the operator's page, and formed by a job: the row first, a hint
after. Killed anywhere, it is gone on with; asked twice, it is one.
"""

import logging
import time
from datetime import date, datetime

from flask import current_app
from peewee import JOIN, Expression, ModelSelect, fn

from config import Config
from domain.billing.requests import OPEN_STATES, RequestState
from domain.errors import InvalidValue
from domain.periods import month_start
from models import Client, User
from models_billing import BillingFailure, BillingRequest, BillingRun, Invoice
from services import audit, billing, clock, faults, import_turns, queue
from services.audit import AuditEventKind
from services.billing import Outcome
from services.transactions import hold_everywhere, write_tx

log = logging.getLogger(__name__)

ASKING_LOCK = 0x5349_5003  # of PostgreSQL's advisory locks
PROGRESS_EVERY_S = 1.0
FAILURES_KEPT = 100
MOST_WAITING = 10  # hints in the queue; with more of them nobody needs another


def _config() -> Config:
    return current_app.config["CABINET"]


# --- Asking ---------------------------------------------------------------------------------------


def ask(
    period: date,
    *,
    client: Client | None = None,
    is_dry: bool,
    user: User,
    ip: str = "",
    now: datetime,
) -> BillingRequest:
    """Have the missing invoices of a closed month formed, or looked at; the one under way when the
    same was asked before. Raises `InvalidValue` for a month that has not ended.
    """
    first = month_start(period)
    if first >= month_start(clock.local(now).date()):
        raise InvalidValue(f"{first:%Y-%m} has not ended", what="month", value=f"{first:%Y-%m}")
    with hold_everywhere(ASKING_LOCK), write_tx():
        same = BillingRequest.select().where(
            _is_open(),
            BillingRequest.period == first,
            BillingRequest.is_dry == is_dry,
            BillingRequest.client.is_null() if client is None else BillingRequest.client == client,
        )
        request = same.first()
        if request is None:
            request = BillingRequest.create(
                period=first, client=client, is_dry=is_dry, user=user, asked_at=now
            )
            subject = f"billing_request:{request.id}"
            audit.record(
                AuditEventKind.BILLING_ASKED,
                now=now,
                user=user,
                client=client,
                subject=subject,
                ip=ip,
                month=f"{first:%Y-%m}",
                is_dry=is_dry,
            )
    faults.reach("billing.asked")
    queue.hint_billing(request.id)
    return request


def find(request_id: int) -> BillingRequest | None:
    """A request by its number, with who asked and for whom."""
    return _with_names().where(BillingRequest.id == request_id).first()


def failures_of_month(first: date) -> list[BillingFailure]:
    """Clients that could not be billed for a month, with the reasons."""
    query = BillingFailure.across_clients(BillingFailure, Client).join(Client)
    return list(query.where(BillingFailure.period == first).order_by(Client.account_no))


def _with_names() -> ModelSelect:
    return (
        BillingRequest.select(BillingRequest, User, Client)
        .join(User, JOIN.LEFT_OUTER)
        .switch(BillingRequest)
        .join(Client, JOIN.LEFT_OUTER)
    )


def _is_open() -> Expression:
    return BillingRequest.state.in_(OPEN_STATES)


# --- The job --------------------------------------------------------------------------------------


def due() -> list[BillingRequest]:
    """Requests that a job has something to do for, the oldest first."""
    return list(BillingRequest.select().where(_is_open()).order_by(BillingRequest.id))


def hint_due() -> int:
    """Wake a worker for the oldest request that nobody works on."""
    requests = due()
    if not requests or (queue.waiting() or 0) >= MOST_WAITING:
        return 0
    try:
        with import_turns.one_at_a_time(_config().data_dir, import_turns.do_not_wait):
            pass
    except import_turns.ImportsBusy:
        return 0  # it is worked on, or has to wait for an import
    return int(queue.hint_billing(requests[0].id))


def work(request_id: int, *, time_over: type[Exception]) -> None:
    """Form what a request asks for, unless it is done or somebody is changing calls. `time_over` is
    what ends a job that takes too long: then the next one goes on.
    """
    try:
        with import_turns.one_at_a_time(_config().data_dir, import_turns.do_not_wait):
            request = _begin(request_id)
            if request is not None:
                _carry(request, time_over)
    except import_turns.ImportsBusy:
        return
    for other in due()[:1]:
        queue.hint_billing(other.id)


def _begin(request_id: int) -> BillingRequest | None:
    """Count an attempt; None when nothing is to be done, or it was tried too often."""
    request = next((each for each in due() if each.id == request_id), None)
    if request is None:
        return None
    if request.attempts >= _config().MAX_ATTEMPTS:
        _set(request, state=RequestState.FAILED, error="worker_lost", finished_at=clock.now())
        return None
    values: dict[str, object] = {"state": RequestState.RUNNING, "attempts": request.attempts + 1}
    if request.run is None and not request.is_dry:
        with write_tx():
            values["run"] = BillingRun.create(
                period=request.period, started_at=clock.now(), user=request.user_id
            )
            _set(request, **values)
    else:
        _set(request, **values)
    return find(request_id)


def _carry(request: BillingRequest, time_over: type[Exception]) -> None:
    progress = _Progress(request)
    try:
        run = billing.form_month(
            request.run or request.period,
            client=request.client,
            dry_run=request.is_dry,
            mail=True,
            now=clock.now(),
            on_begin=progress.begin,
            on_client=progress.note,
            time_over=(time_over,),
            refused=_refused(request),
        )
    except time_over:
        if not request.is_dry:  # a look begins anew, and may never come to its end
            _come_on(request, progress)
        return
    except Exception as error:
        log.exception("billing request %s", request.id)
        _set(
            request,
            state=RequestState.FAILED,
            error=f"{type(error).__name__}: {error}"[:255],
            finished_at=clock.now(),
        )
        return
    if not request.is_dry:
        progress.total = _total(run)
    _set(request, **progress.values(), state=RequestState.DONE, finished_at=clock.now())


def _refused(request: BillingRequest) -> dict[int, tuple[str, int]]:
    """Clients that could not be billed since this was asked: they are not tried again, so that each
    job comes further than the one before.
    """
    if request.is_dry:
        return {}
    since = BillingFailure.across_clients().where(
        BillingFailure.period == request.period, BillingFailure.at > request.asked_at
    )
    return {row.client_id: (row.reason, row.count) for row in since}


def _come_on(request: BillingRequest, progress: "_Progress") -> None:
    """The time of a job was over. A client that had all of it to itself and was not done is listed
    as one that cannot be billed: nobody waits for it any longer.
    """
    if not progress.has_come_on and progress.client is not None:
        log.error("client %s takes longer than a job may", progress.client.id)
        billing.note_failure(progress.client, request.period, "took_too_long", now=clock.now())
    _set(request, attempts=0)  # it has come on, and was not lost


def _total(run: BillingRun) -> int:
    """Of the invoices that a run has formed, however often it was interrupted."""
    query = Invoice.across_clients(fn.SUM(Invoice.total)).where(Invoice.run == run)
    return int(query.scalar() or 0)


class _Progress:
    """What has become of clients so far, written into the row now and then."""

    def __init__(self, request: BillingRequest) -> None:
        self._request = request
        self._written_at = time.monotonic()
        self.formed = self.known = self.failed = self.total = 0
        self.client: Client | None = None  # whose turn it is
        self.has_come_on = False  # somebody was done who was not before
        self._failures: list[list[object]] = []
        clients = 1 if request.client_id else Client.select().count()
        _set(request, clients=clients, **self.values())

    def begin(self, client: Client) -> None:
        """It is a client's turn."""
        self.client = client

    def note(self, outcome: Outcome) -> None:
        """One client more."""
        is_new_refusal = bool(outcome.reason) and not outcome.is_known_refusal
        self.has_come_on |= outcome.content is not None or is_new_refusal
        self.known += outcome.is_known
        self.failed += bool(outcome.reason)
        self.formed += not outcome.is_known and not outcome.reason
        if outcome.content is not None:
            self.total += outcome.content.total
        if outcome.reason and len(self._failures) < FAILURES_KEPT:
            self._failures.append([outcome.client.id, outcome.reason, outcome.count])
        if time.monotonic() - self._written_at >= PROGRESS_EVERY_S:
            self._written_at = time.monotonic()
            _set(self._request, **self.values())

    def values(self) -> dict[str, object]:
        """The columns of the row."""
        return {
            "formed": self.formed,
            "known": self.known,
            "failed": self.failed,
            "total": self.total,
            "failures": self._failures,
        }


def _set(request: BillingRequest, **values: object) -> None:
    with write_tx():
        BillingRequest.update(values).where(BillingRequest.id == request.id).execute()
