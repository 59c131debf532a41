"""A made file goes to those who may have it, whole; nobody else sees a byte of it, and no name
leads anywhere but into the data dir.
"""

import os
import secrets
from datetime import timedelta
from hashlib import sha256

import pytest

from domain.orders import MailState, OrderState
from domain.roles import Role
from models import Artefact, AuditEvent, Mail, Order, User
from services import artefacts, clock, ledger, leftovers, reconcile, verify
from tests.factories import NOON, make_order, make_subscriber, make_user
from tests.page import Browser

MARK = b"the calls of one client alone "
CONTENT = MARK + secrets.token_bytes(100_000) + MARK


@pytest.fixture
def now(monkeypatch):
    """A clock to be set: `now.append(moment)`."""
    moments = [NOON]
    monkeypatch.setattr(clock, "now", lambda: moments[-1])
    return moments


@pytest.fixture
def order(app, client_row, now):
    """A sent order whose file its client may fetch for seven days."""
    client_row.may_download = True
    client_row.save()
    order = make_order(
        client_row,
        [make_subscriber(client_row)],
        state=OrderState.SENT,
        closed_at=NOON,
        key=secrets.token_urlsafe(12),
        rows=1,
    )
    path = app.config["CABINET"].artefact_dir / order.key / "1.csv"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    Artefact.create(
        order=order,
        path=f"{order.key}/1.csv",
        display_name="Детализация.csv",
        media_type="text/csv; charset=utf-8",
        size=len(CONTENT),
        sha256=sha256(CONTENT).hexdigest(),
        made_at=NOON,
        expires_at=NOON + timedelta(days=7),
    )
    return order


def address(order, key=None):
    return f"/orders/{key or order.key}/file"


WAYS = (
    ("GET", {}),
    ("HEAD", {}),
    ("GET", {"Range": "bytes=0-29"}),
    ("GET", {"If-Modified-Since": "Mon, 01 Jan 2024 00:00:00 GMT"}),
    ("GET", {"HX-Request": "true", "HX-Request-Type": "partial"}),
)


def fetch(browser, path, method="GET", headers=()):
    """The whole answer; files are closed at once."""
    return browser.client.open(path, method=method, headers=dict(headers), buffered=True)


def tries(browser, path):
    """Statuses of every way to ask for a file; none of them gives a byte of it."""
    for method, headers in WAYS:
        answer = fetch(browser, path, method, headers)
        assert MARK not in answer.data
        assert "Content-Disposition" not in answer.headers
        assert answer.headers.get("Content-Length") != str(len(CONTENT))
        yield answer.status_code


def test_the_owner_gets_the_very_bytes_however_often_it_was_looked_at(browser, order):
    for _ in range(25):  # scanners of links look at it first, by HEAD and by GET
        for method in ("HEAD", "GET"):
            fetch(browser, address(order), method)
    answer = fetch(browser, address(order))
    assert sha256(answer.data).hexdigest() == Artefact.get().sha256
    assert answer.headers["Cache-Control"] == "no-store"
    written_down = AuditEvent.select().where(AuditEvent.event == "file_downloaded")
    assert written_down.count() == 26, "who only asked how large it is has fetched nothing"


@pytest.mark.parametrize("role", [Role.ACCOUNTANT, Role.CLIENT_ADMINISTRATOR])
def test_others_who_may_order_for_the_client_get_it_too(app, client_row, order, role):
    other = Browser(app, make_user(client_row, role=role))
    assert fetch(other, address(order)).data == CONTENT


@pytest.mark.parametrize(
    ("who", "statuses"),
    [
        ("stranger", {404}),
        ("anonymous", {303, 401}),  # to the sign-in; htmx is told so in its own way
        ("viewer", {403}),  # sees that there is an order, so 403 tells nothing new
        ("operator", {403}),
        ("clerk", {403}),
    ],
)
def test_nobody_else_gets_a_byte(app, client_row, order, who, statuses):
    person = {
        "stranger": lambda: Browser(app, make_user()),
        "anonymous": lambda: Browser(app),
        "viewer": lambda: Browser(app, make_user(client_row, role=Role.VIEWER)),
        "operator": lambda: Browser(app, make_user(role=Role.OPERATOR_ADMINISTRATOR)),
        "clerk": lambda: Browser(app, make_user(role=Role.CLERK)),
    }[who]()
    assert set(tries(person, address(order))) == statuses
    assert not AuditEvent.select().where(AuditEvent.event == "file_downloaded").exists()


def expire(order, now, app):
    now.append(NOON + timedelta(days=7))


def expire_and_clear(order, now, app):
    now.append(NOON + timedelta(days=7))
    assert reconcile.tick(now=now[-1]).removed == 1
    assert not list(app.config["CABINET"].artefact_dir.glob(f"{order.key}/1.csv"))


def cancel(order, now, app):
    Order.update(state=OrderState.CANCELLED).where(Order.id == order.id).execute()


def revoke(order, now, app):
    order.client.may_download = False
    order.client.save()


def disable(order, now, app):
    User.update(is_active=False).execute()


def tamper(order, now, app):
    path = app.config["CABINET"].artefact_dir / order.key / "1.csv"
    path.write_bytes(CONTENT[:-1] + b"?")


def cut_off(order, now, app):
    path = app.config["CABINET"].artefact_dir / order.key / "1.csv"
    path.write_bytes(CONTENT[:1000])


def lose(order, now, app):
    (app.config["CABINET"].artefact_dir / order.key / "1.csv").unlink()


@pytest.mark.parametrize(
    ("change", "statuses"),
    [
        (expire, {410}),
        (expire_and_clear, {410}),
        (cancel, {404}),
        (revoke, {404}),
        (disable, {401}),
        (tamper, {404}),
        (cut_off, {404}),
        (lose, {404}),
    ],
)
def test_the_owner_gets_nothing_that_is_over_revoked_or_not_what_was_made(
    browser, order, now, app, change, statuses
):
    change(order, now, app)
    assert set(tries(browser, address(order))) == statuses


def test_a_key_that_is_nearly_right_opens_nothing(browser, order):
    key = order.key
    wrong = {key[:-1], key + "A", key.swapcase(), key[::-1], key + "%00", key + "%20", "%2e/" + key}
    wrong |= {key[:n] + ("A" if key[n] != "A" else "B") + key[n + 1 :] for n in range(len(key))}
    for each in wrong - {key}:
        # a NUL is no text of ours; everything else was never there
        assert set(tries(browser, address(order, each))) <= {400, 404}, each


def test_a_file_and_its_leftovers_are_gone_in_time(browser, order, now, app):
    folder = app.config["CABINET"].artefact_dir / order.key
    leftover = folder / "1.csv.77.abcd.part"
    leftover.write_bytes(MARK)
    assert artefacts.remove_expired(now=NOON + timedelta(days=6)) == 0
    assert fetch(browser, address(order)).data == CONTENT
    artefacts.remove_expired(now=NOON + timedelta(days=7))
    os.utime(leftover, (0, 0))
    leftovers.remove(now=NOON + timedelta(days=9))  # not within an hour of another test
    assert list(folder.glob("*")) == []


def test_a_file_of_an_order_that_is_tried_again_is_left_to_it(order, app):
    Order.update(state=OrderState.RETRY_WAIT, closed_at=None).where(Order.id == order.id).execute()
    assert artefacts.remove_expired(now=NOON + timedelta(days=7)) == 0
    assert len(list((app.config["CABINET"].artefact_dir / order.key).glob("*"))) == 1


@pytest.mark.parametrize(
    ("state", "mail_state", "days", "stays"),
    [
        (OrderState.SENT, MailState.SENT, 6, True),
        (OrderState.SENT, MailState.SENT, 7, False),
        (OrderState.FAILED, MailState.FAILED, 6, True),
        (OrderState.FAILED, MailState.FAILED, 7, False),
        (OrderState.FAILED, MailState.READY, 7, False),
        (OrderState.CANCELLED, MailState.READY, 7, False),
        (OrderState.RETRY_WAIT, MailState.READY, 7, True),
        (OrderState.UNCONFIRMED, MailState.UNKNOWN, 7, True),
    ],
)
def test_the_calls_do_not_stay_in_letters_either(app, order, state, mail_state, days, stays):
    closed_at = None if stays and days == 7 else NOON
    Order.update(state=state, closed_at=closed_at).where(Order.id == order.id).execute()
    path = app.config["CABINET"].artefact_dir / order.key / "mail-1.eml"
    path.write_bytes(MARK)
    Mail.create(
        order=order,
        message_id=f"<o{order.key}.1@localhost>",
        recipient=order.email,
        path=f"{order.key}/mail-1.eml",
        size=len(MARK),
        sha256=sha256(MARK).hexdigest(),
        state=mail_state,
        created_at=NOON,
        sent_at=NOON if mail_state == MailState.SENT else None,
    )
    ledger.remove_sent(now=NOON + timedelta(days=days))
    assert path.exists() is stays
    assert Mail.get().path == (f"{order.key}/mail-1.eml" if stays else "")
    assert [found for found in verify.run() if found.check.startswith("a_letter")] == []
