"""What every form of an invoice tells, as values without a place: facts of both sides, balances,
and the columns of the annex.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from domain.billing.invoice import AnnexRow, InvoiceContent, Line, LineKind, Party
from domain.billing.requisites import format_iban
from domain.formats import format_date
from domain.writers.figures import Form
from domain.writers.invoice_wording import InvoiceWording

CALL_KINDS = frozenset({LineKind.CALLS, LineKind.LATE_CALLS})
NOTHING = (0, 0, 0)


class AnnexColumn(NamedTuple):
    """A column of the annex; `value` is None where a number has nothing of it."""

    title: str
    form: Form
    value: Callable[[AnnexRow], str | int | None]


def sides(
    content: InvoiceContent, wording: InvoiceWording
) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Both sides: role, name, and what is known of them."""
    labels = wording.labels
    contract = wording.contract_of(content)
    own = [(labels["account"], content.account_no), (labels["contract"], contract)]
    return [
        (labels["operator"], content.operator.name, _facts(content.operator, wording)),
        (
            labels["client"],
            content.client.name,
            [*_facts(content.client, wording), *(fact for fact in own if fact[1])],
        ),
    ]


def _facts(party: Party, wording: InvoiceWording) -> list[tuple[str, str]]:
    labels = wording.labels
    facts = (
        (labels["unp"], party.unp),
        (labels["address"], party.address),
        (labels["iban"], format_iban(party.iban)),
        (labels["bank"], party.bank),
        (labels["bic"], party.bic),
    )
    return [fact for fact in facts if fact[1]]


def balances(content: InvoiceContent, wording: InvoiceWording) -> Iterator[tuple[str, int]]:
    """From what was owed before to what is to be paid: the sums add up, but for the sign of the
    last.
    """
    labels = wording.labels
    yield labels["opening"], content.opening
    yield labels["charged"], content.total
    for payment in content.payments:
        words = labels["payment_no"] if payment.document_no else labels["payment"]
        day = format_date(payment.paid_on)
        yield words.format(date=day, number=payment.document_no), -payment.amount
    yield wording.closing_of(content)


# --- The annex ------------------------------------------------------------------------------------


def annex_columns(content: InvoiceContent, wording: InvoiceWording) -> list[AnnexColumn]:
    """Who, then every line of the invoice (one of calls is three columns), then the sum."""
    heads = wording.columns
    columns = [
        AnnexColumn(heads["number"], Form.TEXT, lambda row: row.number),
        AnnexColumn(heads["full_name"], Form.TEXT, lambda row: row.full_name),
        AnnexColumn(heads["plan"], Form.TEXT, lambda row: row.plan),
    ]
    for line in content.lines:
        columns += _columns_of(line, wording)
    return [*columns, AnnexColumn(heads["net"], Form.MONEY, lambda row: row.net)]


def _columns_of(line: Line, wording: InvoiceWording) -> list[AnnexColumn]:
    name = f"{line.ordinal}. {wording.line_name(line)}"
    if line.kind not in CALL_KINDS:
        return [AnnexColumn(name, Form.MONEY, _value(line.ordinal, 2))]
    parts = wording.parts
    return [
        AnnexColumn(f"{name}: {parts['calls']}", Form.COUNT, _value(line.ordinal, 0)),
        AnnexColumn(f"{name}: {parts['duration']}", Form.DURATION, _value(line.ordinal, 1)),
        AnnexColumn(f"{name}: {parts['net']}", Form.MONEY, _value(line.ordinal, 2)),
    ]


def _value(ordinal: int, which: int) -> Callable[[AnnexRow], int | None]:
    def value(row: AnnexRow) -> int | None:
        sums = row.sums.get(ordinal)
        return None if sums is None else sums[which]

    return value


def outside(
    content: InvoiceContent, annex: Sequence[AnnexRow], wording: InvoiceWording
) -> AnnexRow | None:
    """What of the lines is no number's: fees of the client, discounts. None: there is nothing."""
    by_numbers = dict.fromkeys((line.ordinal for line in content.lines), 0)
    for row in annex:
        for ordinal, (_quantity, _seconds, net) in row.sums.items():
            by_numbers[ordinal] += net
    rest = {
        line.ordinal: (0, 0, line.net - by_numbers[line.ordinal])
        for line in content.lines
        if line.net != by_numbers[line.ordinal]
    }
    if not rest:
        return None
    name = wording.labels["outside"]
    return AnnexRow(subscriber_id=0, number="", full_name=name, plan="", sums=rest)


def whole(content: InvoiceContent, wording: InvoiceWording) -> AnnexRow:
    """The lines themselves, as the last row of the annex."""
    sums = {line.ordinal: (line.quantity, line.seconds, line.net) for line in content.lines}
    return AnnexRow(subscriber_id=0, number="", full_name=wording.total, plan="", sums=sums)
