"""E-mail addresses of clients: never whole in a page, and the mask tells not even their length."""

from dataclasses import replace

import pytest

from domain.formats import mask_email
from domain.orders import OrderState
from jobs import orders as job
from models import Client, Order
from services import clock
from tests import factories, smtp_sink
from tests.page import Browser
from tests.security import world
from tests.smtp_sink import SmtpSink

DETAIL, INVOICE, OLD = "bukhgalteria@zavod-romashka.by", "scheta@mail.zavod.by", "staraya@pochta.by"
SHOWN = {DETAIL: "b***@z***.by", INVOICE: "s***@m***.by", OLD: "s***@p***.by"}


def repeat_the_address(conversation, rest):
    """Refuse a recipient as real servers do."""
    conversation._say(f"550 5.1.1 {rest.removeprefix('TO:')}: no such user")


@pytest.fixture
def refused(app, base, monkeypatch):
    """A world whose last order the mail server refused with the address in its answer."""
    small = world.build(app, detail_email=DETAIL, invoice_email=INVOICE)
    Order.update(email=OLD).where(Order.id == small.order.id).execute()
    number = factories.make_subscriber(small.client)
    order = factories.make_order(
        small.client, [number], user=small.user, created_at=clock.now(), due_at=clock.now()
    )
    monkeypatch.setattr(smtp_sink._Conversation, "_do_rcpt", repeat_the_address)
    with SmtpSink() as sink, monkeypatch.context() as patched:
        config = replace(app.config["CABINET"], MAIL_SERVER="localhost", MAIL_PORT=sink.port)
        patched.setitem(app.config, "CABINET", config)
        job.carry(order.id)
    small.refused = Order.get_by_id(order.id)
    assert small.refused.state == OrderState.FAILED
    assert SHOWN[DETAIL] in small.refused.detail  # the server has repeated it
    yield small
    world.clear(app)


def open_all(small):
    """Text and address of all that people of both sides can see, as page and for htmx."""
    orders = ("/orders/{0}", "/orders/{0}/status", "/orders/{0}/cancel", "/operator/orders/{0}")
    for who in ("client", "operator"):
        browser = small.browser(who)
        extra = [form.format(small.refused.key) for form in orders]
        for address in [address for _, address in small.pages(who)] + extra:
            for headers in ({}, {"HX-Request": "true", "HX-Request-Type": "partial"}):
                response = browser.client.get(address, headers=headers, buffered=True)
                yield address, response.data.decode(errors="replace")  # files are among them
        for endpoint, key in (("retry", small.refused.key), ("repeat", small.order.key)):
            browser.client.post(f"/orders/{key}/{endpoint}", data={"csrf_token": browser.token()})
        yield from ((a, browser.client.get(a).text) for a in ("/orders/", "/operator/"))


def test_no_page_shows_an_address_whole(refused):
    shown = ""
    for where, text in open_all(refused):
        for address in SHOWN:
            assert address not in text, where
            assert address.partition("@")[0] not in text, where
            assert address.partition("@")[2] not in text, where
        shown += text
    for mask in SHOWN.values():
        assert mask in shown


def first_step():
    today = clock.now().date().isoformat()
    return {"start": today, "end": today, "direction": "both", "file_format": "csv"}


def test_what_is_typed_in_a_wizard_brings_no_address_out(app, base):
    client = factories.make_client(detail_email=DETAIL, invoice_email=INVOICE)
    factories.make_subscriber(client, number="375291112233")
    browser = Browser(app, factories.make_user(client))
    browser.post("bills.call_detail.start", first_step())
    step_2 = browser.response.location
    page = browser.get(step_2)
    assert SHOWN[DETAIL] in page.text
    for form in ({"go": "check", "typed": "1"}, {"go": "submit", "typed": ""}):
        browser.post(step_2, form, status=422)
        assert DETAIL not in browser.response.text
    browser.post(step_2, {"go": "submit", "typed": "375291112233"})
    assert DETAIL not in str(browser.follow())
    assert Client.get_by_id(client.id).detail_email == DETAIL


@pytest.mark.parametrize(
    "address",
    ["a@b.by", "buh@romashka.by", f"{'b' * 64}@{'r' * 200}.by", "b@r.very.long.name.by"],
)
def test_the_mask_has_one_length(address):
    assert len(mask_email(address)) == len("b***@r***.by")
