"""Whoever holds a printed invoice sees whether it is genuine and still holds, and nothing more."""

from datetime import UTC, date, datetime
from fractions import Fraction

import pytest

from models_billing import OneOffCharge
from services import billing, corrections, invoices
from tests.factories import make_client

NOW = datetime(2026, 4, 2, 6, tzinfo=UTC)


@pytest.fixture
def invoice(base):
    client = make_client(name="ООО «Тайна»", invoice_email="tayna@example.by")
    OneOffCharge.create(
        client=client, day=date(2026, 3, 3), name="Выезд", amount=123_456, created_at=NOW
    )
    billing.form_month(date(2026, 3, 1), now=NOW)
    return invoices.of_client(client)[0]


def test_a_genuine_paper_is_told_with_what_is_printed_on_it(anonymous, invoice):
    page = anonymous.get(f"/verify/{invoice.key}")
    for text in ("подлинный и действует", "2026-000001", "02.04.2026", "март 2026", "1 543,20"):
        assert text in page.text.replace("\xa0", " ")
    for secret in ("Тайна", "tayna", "Выезд"):
        assert secret not in page.text


def test_a_corrected_one_names_what_corrects_it(anonymous, invoice):
    note = corrections.correct(
        invoice, [corrections.Correction(1, Fraction(1))], reason="Ошибка", now=NOW
    )
    assert "исправлен документом 2026-000002" in anonymous.get(f"/verify/{invoice.key}").text
    page = anonymous.get(f"/verify/{note.key}")
    assert "Исправляет счет" in page.text


@pytest.mark.parametrize("key", ["x", "a" * 16])
def test_another_code_is_no_document(anonymous, invoice, key):
    assert "Документа с таким кодом нет" in anonymous.get(f"/verify/{key}", status=404).text
