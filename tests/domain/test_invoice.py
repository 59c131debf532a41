"""The frozen content of an invoice: its text, its sums, its chain."""

from dataclasses import replace
from datetime import date

from domain.billing.invoice import (
    AnnexRow,
    InvoiceContent,
    Line,
    LineKind,
    Party,
    PaymentLine,
    VatTotal,
    annex_hash,
    content_hash,
    from_json,
    to_json,
)

CONTENT = InvoiceContent(
    number="2026-000007",
    key="k",
    period=date(2026, 2, 1),
    issued_on=date(2026, 3, 1),
    due_on=date(2026, 3, 25),
    operator=Party(name="Оператор связи", unp="100000001"),
    client=Party(name="ООО «Ромашка»", unp="190000001", address="Минск"),
    account_no="100200300400",
    contract_date=date(2024, 5, 6),
    lines=(
        Line(ordinal=1, kind=LineKind.FEE, name="Плата", quantity=2, net=700, vat_percent=2500),
        Line(
            ordinal=2, kind=LineKind.DISCOUNT, name="-10 %", quantity=1, net=-70, vat_percent=2500
        ),
    ),
    vat=(VatTotal(percent=2500, net=630, vat=158),),
    opening=-100,
    payments=(PaymentLine(paid_on=date(2026, 2, 11), document_no="5", amount=500),),
)


def test_a_stored_content_comes_back_as_it_was():
    text = to_json(CONTENT)
    assert from_json(text) == CONTENT
    assert to_json(from_json(text)) == text


def test_sums_follow_from_the_content():
    assert (CONTENT.net, CONTENT.vat_sum, CONTENT.total, CONTENT.paid) == (630, 158, 788, 500)
    assert CONTENT.closing == -100 + 788 - 500


def test_any_change_breaks_the_chain():
    changed = replace(CONTENT, opening=-101)
    assert content_hash("", to_json(CONTENT)) != content_hash("", to_json(changed))
    assert content_hash("a", to_json(CONTENT)) != content_hash("b", to_json(CONTENT))


def test_the_annex_has_one_digest_in_any_order():
    rows = [
        AnnexRow(
            subscriber_id=n, number=f"37517000000{n}", full_name="", plan="", sums={1: (1, 0, 350)}
        )
        for n in range(3)
    ]
    assert annex_hash(rows) == annex_hash(rows[::-1])
    assert annex_hash(rows) != annex_hash(rows[1:])
    assert rows[0].net == 350
