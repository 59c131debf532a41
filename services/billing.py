"""Forming a month's invoices: one for each client, numbered without gaps, frozen when given out.

A client's invoice is one transaction, so the run may be killed anywhere and repeated: who has an
invoice keeps it, and who has none gets it. A client that cannot be billed is written down with the
reason and stops nobody else.
"""

import logging
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import MappingProxyType

from flask import current_app

from domain.billing.forming import Formed, form
from domain.billing.invoice import (
    InvoiceContent,
    Party,
    PaymentLine,
    annex_hash,
    content_hash,
    number_text,
    to_json,
)
from domain.billing.vat import vat_percent
from domain.errors import DomainError, InvalidValue
from domain.languages import OWN, language
from domain.periods import month_of, month_start
from models import Client, db
from models_billing import (
    BillingFailure,
    BillingRun,
    Instalment,
    Invoice,
    InvoiceLine,
    InvoiceSeries,
    InvoiceSubscriber,
    OneOffCharge,
    Payment,
)
from services import (
    awaited_invoices,
    bulk,
    clock,
    delivery,
    faults,
    invoice_orders,
    months,
    vat_rates,
)
from services.months import Cut, Due, Fees, InstalmentNames
from services.plans import Plans
from services.transactions import lock_client, write_tx
from texts import destination_group_text
from texts import gettext as _

log = logging.getLogger(__name__)

ANNEX_COLUMNS = ("invoice_id", "subscriber_id", "number", "full_name", "plan", "sums", "net")


class CannotBill(DomainError):
    """A client cannot have its invoice yet. `reason`: a code of `texts.BILLING_FAILURES`."""

    code = "cannot_bill"

    def __init__(self, reason: str, *, count: int = 0) -> None:
        super().__init__(reason, reason=reason)
        self.reason, self.count = reason, count


@dataclass(frozen=True)
class Outcome:
    """What came of one client. `invoice` is None in a dry run and where `reason` says why."""

    client: Client
    invoice: Invoice | None = None
    content: InvoiceContent | None = None  # of what was formed now, of a dry run too
    is_known: bool = False  # had its invoice before
    is_known_refusal: bool = False  # it was not tried
    reason: str = ""
    count: int = 0


@language(OWN)  # frozen words are the same whoever has them frozen
def form_month(  # noqa: PLR0913 - a run is told so much
    period: date | BillingRun,
    *,
    client: Client | Sequence[Client] | None = None,
    dry_run: bool = False,
    mail: bool = False,
    now: datetime,
    on_begin: Callable[[Client], None] = lambda _client: None,
    on_client: Callable[[Outcome], None] = lambda _outcome: None,
    time_over: tuple[type[Exception], ...] = (),
    refused: Mapping[int, tuple[str, int]] = MappingProxyType({}),
) -> BillingRun:
    """Form the invoices of a closed month that are still missing, and return the run's row (not
    stored by a dry run). Call it inside `import_turns.one_at_a_time`: no call comes meanwhile. With
    `mail` each invoice's letter is ordered with it, to the address that stands on it. Instead
    of the month a run that was killed can be named, to go on with. What is in `time_over` ends the
    work, with invoices whole. `client`: one or several; otherwise everybody is billed. `refused`
    are clients (by id) that are not tried: their reasons and counts are known.

    Raises `InvalidValue` for a month that has not ended.
    """
    run = period if isinstance(period, BillingRun) else None
    first = month_start(run.period if run else period)
    if first >= month_start(now.date()):
        raise InvalidValue(f"{first:%Y-%m} has not ended", what="month", value=f"{first:%Y-%m}")
    run = run or BillingRun(period=first, started_at=now)
    run.formed = run.known = run.failed = 0
    if not dry_run:
        with write_tx():
            run.save()
    work = _Work(first, run if not dry_run else None, now, mail=mail, time_over=time_over)
    for one in _several(client):
        on_begin(one)
        outcome = _refusal(one, refused) or work.bill(one)
        run.known += outcome.is_known
        run.failed += bool(outcome.reason)
        run.formed += not outcome.is_known and not outcome.reason
        on_client(outcome)
    run.state, run.finished_at = "done", clock.now()
    if not dry_run:
        with write_tx():
            run.save()
    return run


def _several(client: Client | Sequence[Client] | None) -> Sequence[Client]:
    if client is None:
        return list(Client.select().order_by(Client.id))
    return [client] if isinstance(client, Client) else client


def _refusal(client: Client, refused: Mapping[int, tuple[str, int]]) -> Outcome | None:
    if client.id not in refused:
        return None
    reason, count = refused[client.id]
    return Outcome(client, reason=reason, count=count, is_known_refusal=True)


class _Work:
    """A month under way: what is the same for all of its clients."""

    def __init__(
        self,
        first: date,
        run: BillingRun | None,
        now: datetime,
        *,
        mail: bool = False,
        time_over: tuple[type[Exception], ...] = (),
    ) -> None:
        self.first, self.run, self.now, self.mail = first, run, now, mail
        self._time_over = time_over
        self.cut = months.cut_now()
        self.plans, self.fees = Plans(), Fees()
        self._vat_rules = vat_rates.own()

    def bill(self, client: Client) -> Outcome:
        """Give the client its invoice; a reason why not never stops the others."""
        known = Invoice.of(client).where(Invoice.period == self.first, Invoice.ordinal == 0).first()
        if known is not None:
            is_own = self.run is not None and known.run_id == self.run.id
            return Outcome(client, known, is_known=not is_own)
        try:
            return self._form(client)
        except self._time_over:
            raise
        except CannotBill as refusal:
            reason, count, detail = refusal.reason, refusal.count, ""
        except Exception as error:
            log.exception("invoice of client %s for %s", client.id, self.first)
            reason, count, detail = "failed", 0, repr(error)
        if self.run is not None:
            note_failure(client, self.first, reason, count=count, detail=detail, now=self.now)
        return Outcome(client, reason=reason, count=count)

    def _form(self, client: Client) -> Outcome:
        previous = last_document(client)
        self._check(client)
        period = month_of(self.first)
        due = Due(
            [*months.calls_of(client, period, self.cut), *self._late(client)],
            months.one_offs_of(client, period.end),
            months.instalments_of(client, period.end),
        )
        month = months.month_for(
            client,
            self.first,
            due,
            plans=self.plans,
            fees=self.fees,
            names=InstalmentNames(
                _("Instalment {part} of {parts}: {goods}, contract {contract}"),
                _("Early repayment: {goods}, contract {contract}"),
            ),
        )
        formed = form(month, vat_of=self._vat_of, group_names=_GroupNames())
        payments = _new_payments(client, period.end)
        content = self._content(client, formed, previous, payments)
        if self.run is None:
            return Outcome(client, content=content)
        invoice, content = self._issue(client, content, formed, due, payments)
        return Outcome(client, invoice, content)

    def _check(self, client: Client) -> None:
        """Raise `CannotBill` when calls have no price, or the month before has no invoice."""
        newest = _last_month(client)
        if count := months.count_unrated(client, month_of(self.first), newest, self.cut):
            raise CannotBill("unrated_calls", count=count)
        if newest is not None and newest.period < month_start(self.first, 1):
            raise CannotBill("month_before_missing")
        if newest is not None and newest.period > self.first:
            raise CannotBill("month_after_formed")

    def _late(self, client: Client) -> Iterator[months.CallSum]:
        newest = _last_month(client)
        if newest is not None:
            yield from months.late_calls_of(client, newest, self.cut)

    def _vat_of(self, service: str) -> int:
        return int(vat_percent(service, month_of(self.first).end, self._vat_rules) * 100)

    def _content(
        self,
        client: Client,
        formed: Formed,
        previous: Invoice | None,
        payments: list[Payment],
    ) -> InvoiceContent:
        return InvoiceContent(
            number="",
            key="",
            period=self.first,
            issued_on=self.now.date(),
            due_on=_due_on(self.first),
            operator=_operator(),
            client=_customer(client),
            account_no=client.account_no,
            contract_no=client.contract_no,
            contract_date=client.contract_date,
            lines=formed.lines,
            vat=formed.vat,
            opening=previous.closing if previous else 0,
            payments=tuple(
                PaymentLine(paid_on=row.paid_on, document_no=row.document_no, amount=row.amount)
                for row in payments
            ),
            subscribers=len(formed.annex),
            annex_sha256=annex_hash(list(formed.annex)),
        )

    def _issue(
        self,
        client: Client,
        content: InvoiceContent,
        formed: Formed,
        due: Due,
        payments: list[Payment],
    ) -> tuple[Invoice, InvoiceContent]:
        """Number, freeze and store; what stands on it is marked. All of it or nothing."""
        with write_tx():
            lock_client(client)  # no order begins to wait for this invoice meanwhile
            last = last_document(client)  # a credit note may have come since the content was made
            content = replace(content, opening=last.closing if last else 0)
            invoice, content = give_out(
                client, content, cut=self.cut, run=self.run, ordinal=0, now=self.now
            )
            rows = (
                (
                    invoice.id,
                    row.subscriber_id,
                    row.number,
                    row.full_name,
                    row.plan,
                    InvoiceSubscriber.sums.db_value(row.sums),
                    row.net,
                )
                for row in formed.annex
            )
            bulk.insert_rows(db.obj, InvoiceSubscriber, ANNEX_COLUMNS, rows)
            for model, marked in (
                (OneOffCharge, due.one_offs),
                (Instalment, due.instalments),
                (Payment, payments),
            ):
                _mark(model, [row.id for row in marked], invoice)
            BillingFailure.delete().where(
                BillingFailure.client == client, BillingFailure.period == self.first
            ).execute()
            if self.mail:
                invoice_orders.place_regular(invoice, now=self.now)
            awaited_invoices.give_to_waiting(invoice, now=self.now)
            faults.reach("invoice.stored")
        faults.reach("invoice.committed")
        return invoice, content


def note_failure(
    client: Client, first: date, reason: str, *, count: int = 0, detail: str = "", now: datetime
) -> None:
    """Write down why a client has no invoice for a month, instead of what was said before."""
    values = {"reason": reason, "count": count, "detail": detail, "at": now}
    with write_tx():
        BillingFailure.delete().where(
            BillingFailure.client == client, BillingFailure.period == first
        ).execute()
        BillingFailure.create(client=client, period=first, **values)


class _GroupNames(dict):
    """Names of destination groups in the language of the document, known ones first."""

    def __init__(self) -> None:
        super().__init__((group, destination_group_text(group)) for group in months.GROUPS)


# --- Giving out -----------------------------------------------------------------------------------


def give_out(
    client: Client,
    content: InvoiceContent,
    *,
    cut: Cut,
    run: BillingRun | None,
    ordinal: int,
    corrects: Invoice | None = None,
    now: datetime,
) -> tuple[Invoice, InvoiceContent]:
    """Inside `write_tx`: take the next number, close the content, store it with its lines."""
    config = current_app.config["CABINET"]
    series = _next_number(config.INVOICE_SERIES, content.issued_on.year)
    number = number_text(series.series, series.year, series.last_number)
    content = replace(content, number=number, key=secrets.token_urlsafe(12))
    text = to_json(content)
    digest = content_hash(series.last_hash, text)
    setting = delivery.current(client, now=now)
    invoice = Invoice.create(
        client=client,
        period=content.period,
        ordinal=ordinal,
        series=series.series,
        year=series.year,
        number=series.last_number,
        key=content.key,
        corrects=corrects,
        issued_on=content.issued_on,
        issued_at=now,
        due_on=content.due_on,
        net=content.net,
        vat=content.vat_sum,
        total=content.total,
        opening=content.opening,
        paid=content.paid,
        closing=content.closing,
        content=text,
        previous_hash=series.last_hash,
        content_hash=digest,
        until_run=cut.until_run,
        open_runs=list(cut.open_runs),
        delivery_method=setting.method,
        delivery_email=setting.email,
        run=run,
    )
    InvoiceSeries.update(last_hash=digest).where(InvoiceSeries.id == series.id).execute()
    for line in content.lines:
        InvoiceLine.create(
            invoice=invoice,
            ordinal=line.ordinal,
            kind=line.kind,
            code=line.code,
            name=line.name,
            quantity=line.quantity,
            seconds=line.seconds,
            net=line.net,
            vat_percent=line.vat_percent,
            service=line.service,
        )
    return invoice, content


def _next_number(series: str, year: int) -> InvoiceSeries:
    """Inside `write_tx`: one more. Whoever comes by meanwhile waits for the end of this
    transaction, and one that is thrown away leaves no gap.
    """
    InvoiceSeries.insert(series=series, year=year).on_conflict_ignore().execute()
    same = (InvoiceSeries.series == series) & (InvoiceSeries.year == year)
    InvoiceSeries.update(last_number=InvoiceSeries.last_number + 1).where(same).execute()
    return InvoiceSeries.get(same)


def _mark(model: type, ids: list[int], invoice: Invoice) -> None:
    for n in range(0, len(ids), 500):
        model.update(invoice_id=invoice.id).where(model.id.in_(ids[n : n + 500])).execute()


def last_document(client: Client) -> Invoice | None:
    """The invoice or credit note given out last: its closing balance is the next one's opening."""
    return Invoice.of(client).order_by(Invoice.id.desc()).first()


def _last_month(client: Client) -> Invoice | None:
    """The invoice of the latest month that has one."""
    return Invoice.of(client).where(Invoice.ordinal == 0).order_by(Invoice.period.desc()).first()


def _new_payments(client: Client, until: date) -> list[Payment]:
    """Money received up to a day that stands on no invoice yet."""
    query = Payment.of(client).where(Payment.paid_on <= until, Payment.invoice_id.is_null())
    return list(query.order_by(Payment.paid_on, Payment.id))


def _operator() -> Party:
    config = current_app.config["CABINET"]
    return Party(
        name=config.OPERATOR_NAME,
        unp=config.OPERATOR_UNP,
        address=config.OPERATOR_ADDRESS,
        bank=config.OPERATOR_BANK,
        iban=config.OPERATOR_IBAN,
        bic=config.OPERATOR_BIC,
    )


def _customer(client: Client) -> Party:
    return Party(
        name=client.name,
        unp=client.unp,
        address=client.address,
        bank=client.bank,
        iban=client.iban,
        bic=client.bic,
    )


def _due_on(first: date) -> date:
    return month_start(first, -1).replace(day=current_app.config["CABINET"].INVOICE_DUE_DAY)
