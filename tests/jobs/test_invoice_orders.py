"""Orders of invoices by the whole pipeline: the letter with its file, and the file without one."""

import email
import email.policy
from dataclasses import replace

import pytest

from domain.orders import OrderKind, OrderState
from jobs import orders as job
from models import Artefact, Mail, Order
from services import artefacts, clock
from tests import smtp_sink
from tests.factories import NOON, make_client, make_invoice_order
from tests.services.invoice_cases import document_of
from tests.smtp_sink import SmtpSink

EMAIL, LINK, REGULAR = OrderKind.INVOICE_EMAIL, OrderKind.INVOICE_LINK, OrderKind.INVOICE_REGULAR


@pytest.fixture
def sink(app, base, monkeypatch):
    """A mail server; all mail goes there."""
    monkeypatch.setattr(clock, "now", lambda: NOON)
    with SmtpSink() as server:
        config = replace(
            app.config["CABINET"],
            MAIL_SERVER="localhost",
            MAIL_PORT=server.port,
            MAIL_TIMEOUT_S=1,
            PUBLIC_URL="https://cabinet.example.by/sip",
        )
        monkeypatch.setitem(app.config, "CABINET", config)
        yield server


@pytest.fixture
def invoice(sink):
    return document_of("two_numbers")


def carried(order):
    job.carry(order.id)
    return Order.get_by_id(order.id)


def letter(sink):
    (taken,) = sink.accepted
    return email.message_from_bytes(taken.content, policy=email.policy.default)


@pytest.mark.parametrize("kind", [EMAIL, REGULAR])
@pytest.mark.parametrize("file_format", ["pdf", "xlsx", "csv"])
def test_an_invoice_goes_out_with_its_file(invoice, sink, kind, file_format):
    order = carried(make_invoice_order(invoice, kind, file_format))
    assert (order.state, order.rows) == (OrderState.SENT, 2)
    message, artefact = letter(sink), Artefact.get()
    (attached,) = message.iter_attachments()
    assert attached.get_filename() == artefact.display_name
    assert attached.get_content_type() == artefact.media_type.split(";")[0]
    assert message["To"] == invoice.client.invoice_email
    assert str(message["Subject"]) == "Счет № 2026-000001 за услуги связи, март 2026 г."


def test_the_letters_as_they_read(invoice, sink, golden):
    for kind in (EMAIL, REGULAR):
        carried(make_invoice_order(invoice, kind))
    texts = []
    for taken in sink.accepted:
        message = email.message_from_bytes(taken.content, policy=email.policy.default)
        parts = [message.get_body((form,)).get_content() for form in ("plain", "html")]
        texts.append("\n".join([str(message["Subject"]), "", *parts]))
    golden("invoices/mail.txt", "\n\n".join(texts).replace("\r\n", "\n"))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("two_numbers", "Оплатить до: 25.04.2026"),
        ("paid_ahead", "Переплата: 991,25 BYN\nОплата не требуется."),
        ("a_credit_note", "Исправляет счет № 2026-000001"),
        ("nothing_at_all", "К оплате: 0,00 BYN\nОплата не требуется."),
    ],
)
def test_a_letter_says_what_is_to_be_paid(sink, name, words):
    carried(make_invoice_order(document_of(name), EMAIL))
    text = letter(sink).get_body(("plain",)).get_content()
    assert words in text.replace("\r\n", "\n").replace("\xa0", " ")
    assert "https://cabinet.example.by/sip/bills/" in text


def test_what_is_fetched_is_not_mailed(invoice, sink):
    order = carried(make_invoice_order(invoice, LINK))
    assert (order.state, order.closed_at, order.lease_until) == (OrderState.AVAILABLE, NOON, None)
    assert (sink.accepted, Mail.select().count()) == ([], 0)
    assert not invoice.client.may_download  # such an order is for downloading, whatever the policy
    found = artefacts.find_open(order, invoice.client, now=NOON)
    assert found.path.read_bytes().startswith(b"%PDF")
    assert found.artefact.display_name == "Счет № 2026-000001 за март 2026.pdf"


def test_two_orders_of_one_document_are_the_same_file(invoice, sink, monkeypatch):
    first = carried(make_invoice_order(invoice, LINK))
    monkeypatch.setattr(clock, "now", lambda: NOON.replace(month=9))
    second = carried(make_invoice_order(invoice, LINK))
    sums = {artefacts.find(order).sha256 for order in (first, second)}
    assert len(sums) == 1


def test_no_order_gets_a_strangers_invoice(invoice, sink):
    order = make_invoice_order(invoice, LINK)
    Order.update(client=make_client()).where(Order.id == order.id).execute()
    assert carried(order).state == OrderState.RETRY_WAIT
    assert not Artefact.select().exists()


def test_a_refused_letter_is_told_as_of_any_order(invoice, sink):
    sink.mode = smtp_sink.NO_ADDRESS_550
    assert carried(make_invoice_order(invoice, EMAIL)).state == OrderState.FAILED
