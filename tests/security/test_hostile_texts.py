"""Texts that want to be markup: in every field of every table that a page, a letter or a PDF shows,
and typed into every form. They stay texts.
"""

import io
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from models import (
    Artefact,
    AuditEvent,
    Client,
    Exchange,
    ImportRun,
    Mail,
    Order,
    Subscriber,
    User,
    UserSession,
)
from models_feedback import FeedbackFile, FeedbackMessage
from services import artefacts, clock, mailbox, mailer, reports
from tests import factories
from tests.page import HTMX, Browser
from tests.pdf import open_pdf
from tests.security import world
from tests.security.payloads import HARMLESS, PAYLOADS

NOT_PAGES = (
    "mailbox.html",
    "orders.file",
    "feedback.file",
    "instalments.file",
    "payments.file",
    "payments.order",
    "operator.bill.file",
    "operator.feedback.file",
    "operator.imports.rejects",
)


@pytest.fixture
def small(app, base):
    made = world.build(app)
    factories.make_order(made.client, [Subscriber.get()], user=made.user, number=900)
    yield made
    world.clear(app)


def plant(small, text):
    """Put `text` into whatever a page shows of the rows; what must stay unique gets a tail."""
    Client.update(
        name=text,
        contract_no=text,
        address=text,
        bank=text,
        iban=text,
        bic=text,
        unp=text[:9],
        account_no=text,
        invoice_email=f"{text}@{text}.by",
        detail_email=f"{text}@{text}.by",
    ).execute()
    Subscriber.update(number=text, full_name=text, plan=text, status_reason=text).execute()
    User.update(full_name=text).execute()
    User.update(login=text).where(User.id == small.user.id).execute()
    params = {**small.order.params, "excluded": [text]}
    Order.update(detail=text, email=f"{text}@x.by", params=params).execute()
    Order.update(state="failed", reason="mail_refused").where(Order.number == 900).execute()
    Artefact.update(display_name=text).execute()
    FeedbackMessage.update(text=text).execute()
    FeedbackFile.update(display_name=text).execute()
    Mail.delete().execute()
    Mail.create(
        order=small.order,
        message_id=text,
        recipient=text,
        path="",
        size=1,
        sha256="",
        smtp_reply=text,
        created_at=clock.now(),
    )
    Exchange.update(name=text).execute()
    rejects = [{"line": 1, "reason": text}, {"line": 2, "reason": "bad_time"}]
    ImportRun.update(
        file_name=text, format=text, zone=text, error=text, rejects=rejects, rejected=2
    ).execute()


def letter(app, text):
    """A letter whose every header and whose text want to be markup, in the try-out mailbox."""
    head = {"Subject": text, "From": f"{text} <a@x.by>", "To": f"{text} <b@x.by>"}
    kind = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n"
    )
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items()).encode()
    name = text.replace('"', "'").encode()
    part = b'\r\n--b\r\nContent-Type: application/x\r\nContent-Disposition: attachment; filename="'
    content = lines + kind + text.encode() + part + name + b'"\r\n\r\nx\r\n--b--\r\n'
    return mailbox.keep(app.config["CABINET"].data_dir / "mail", content)


def skeleton(page):
    """Tags with the names of their attributes: what a value must not be able to change."""
    return [(tag.name, sorted(tag.attrs)) for tag in page.find_all(lambda _: True)]


def pages(small):
    """All pages of both sides, for both layouts: (address, text)."""
    failed = Order.get(Order.number == 900)
    AuditEvent.delete().execute()  # looking is written down, and the lists would grow
    UserSession.delete().execute()
    seen = {"client": small.client, "user": small.user, "subject": f"order:{small.order.id}"}
    AuditEvent.create(at=clock.now(), event="order_placed", **seen)
    for who, more in (
        ("client", f"/orders/{failed.key}"),
        ("operator", f"/operator/orders/{failed.key}"),
    ):
        browser = small.browser(who)
        mine = [a for e, a in small.pages(who) if e not in NOT_PAGES]
        for address in [*mine, more]:
            response = browser.client.get(address, headers=HTMX, buffered=True)
            yield f"{who} {address}", response.text
        whole = browser.client.get("/nowhere/<script>alert(1)</script>")
        yield f"{who} whole", whole.text


def check_text_only(where, text, page):
    """No `text` stands in `page` as it is, and no address leads elsewhere; gives the page."""
    if any(sign in text for sign in "<>\"'"):
        assert text not in page, where
    parsed = BeautifulSoup(page, "html.parser")
    for tag in parsed.select("[href], [src], [action]"):
        address = tag.get("href") or tag.get("src") or tag.get("action")
        assert address.startswith(("/", "#", "https://x.by")), (where, address)
    return parsed


def test_no_text_of_a_row_becomes_markup(small, app, length):
    plant(small, HARMLESS)
    small.letter = letter(app, HARMLESS)
    plain = {where: skeleton(BeautifulSoup(p, "html.parser")) for where, p in pages(small)}
    number = str(small.letter)
    for text in PAYLOADS[:: length(short=5, long=1)]:
        plant(small, text)
        small.letter = letter(app, text)
        for where, page in pages(small):
            parsed = check_text_only(where, text, page)
            expected = plain[where.replace(f"/mailbox/{small.letter}", f"/mailbox/{number}")]
            if "mailbox" not in where:  # a letter's texts get links, and files their own names
                assert skeleton(parsed) == expected, (where, text)


def test_the_planted_texts_are_seen(small, app):
    """Or the test above would prove nothing."""
    plant(small, HARMLESS)
    small.letter = letter(app, HARMLESS)
    seen = {where for where, page in pages(small) if HARMLESS in page}
    for where in ("client /account/", "client /orders/", "operator /operator/", "client whole"):
        assert where in seen
    for part in (
        "/feedback/thread",
        "/operator/feedback/thread",
        "/bills/call-detail/",
        "/operator/imports/",
        "/operator/orders/",
        "/mailbox/",
    ):
        assert any(part in where for where in seen), part


def test_no_text_that_is_typed_becomes_markup(small, length):
    client, operator = small.browser("client"), small.browser("operator")
    nobody = Browser(small.app)
    for number in range(21):
        factories.make_subscriber(small.client, number=f"3752911100{number:02}")
    step_2 = f"/bills/call-detail/{small.draft.key}/subscribers"
    for text in PAYLOADS[2 :: length(short=5, long=1)]:
        file = (io.BytesIO(b"no records"), text.replace("/", "-").replace("\\", "-"))
        for browser, address, form in (
            (client, step_2, {"typed": text, "go": "check"}),
            (client, step_2, {"typed": text, "go": text, "q": text, "status": text}),
            (client, "/bills/call-detail/", {"start": text, "end": text, "direction": text}),
            (client, "/feedback/new", {"text": text, "subject": text, "number": text}),
            (nobody, "/login", {"login": text, "password": ""}),
            (operator, "/operator/imports/", {"zone": text, "exchange": text, "account": text}),
            (operator, "/operator/imports/", {"files": [file], "zone": "UTC"}),
        ):
            data = {"csrf_token": browser.token(), **form}
            response = browser.client.post(address, data=data)
            assert response.status_code in {303, 422}, (address, text)
            page = response.text
            if response.status_code == 303:
                page = browser.client.get(response.location).text
            check_text_only(address, text, page)
        for address in (step_2, "/orders/", "/operator/", "/login", "/bills/call-detail/"):
            asked = {"q": text, "state": text, "next": text, "month": text, "page": text}
            browser = operator if "operator" in address else client
            browser = nobody if address == "/login" else browser
            page = browser.client.get(address, query_string=asked).text
            check_text_only(address, text, page)


@pytest.fixture
def named_by_them(app, base, monkeypatch):
    """An order whose client, number, calls and operator have such names; for one text at a time."""

    def make(text, file_format):
        config = replace(app.config["CABINET"], OPERATOR_NAME=text)
        monkeypatch.setitem(app.config, "CABINET", config)
        client = factories.make_client(name=text, account_no=f"{text}{file_format}")
        number = factories.make_subscriber(client, full_name=text)
        run = factories.make_import_run()
        factories.make_call(number, peer=text, uid=text, import_run=run)
        params = {"format": file_format, "excluded": [text]}
        order = factories.make_order(client, [number], params=params)
        made = reports.render(order, made_at=factories.NOON, progress=lambda *_: None)
        return order, made, config

    return make


def test_no_text_becomes_markup_in_a_letter(named_by_them):
    plain = None
    for text in [HARMLESS, *PAYLOADS]:
        order, made, config = named_by_them(text, "csv")
        artefact = Artefact(
            order=order,
            path=made.path,
            display_name=text.replace("\t", " "),
            media_type=made.media_type,
            size=made.size,
            summary=made.summary,
            made_at=factories.NOON,
            expires_at=factories.NOON,
        )
        frozen = mailer.compose(order, artefact, ordinal=1, now=factories.NOON)
        content = (artefacts.folder() / frozen.path).read_bytes()
        message = message_from_bytes(content, policy=policy.default)
        html = message.get_body(("html",)).get_content()
        page = check_text_only("letter", text, html.replace(f'"{config.public_url}', '"/'))
        plain = plain or skeleton(page)
        assert skeleton(page) == plain, text
        assert page.text.count(text.strip()) >= 2
        assert message.defects == []
        assert len(list(message.iter_attachments())) == 1


def test_no_text_becomes_an_action_in_a_pdf(named_by_them, config, length):
    for text in PAYLOADS[:: length(short=2, long=1)]:
        _, made, _ = named_by_them(text, "pdf")
        reader = open_pdf(config.artefact_dir / made.path)
        shown = "".join("".join(page.extract_text() for page in reader.pages).split())
        assert "".join(text.split())[:12] in shown, text
        assert not any("/Annots" in page for page in reader.pages)
        raw = Path(config.artefact_dir / made.path).read_bytes()
        assert not any(word in raw for word in (b"/JavaScript", b"/JS", b"/URI", b"/OpenAction"))
