"""Letters without an order that did not go out: the operator sees why, and tries again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.roles import Role
from jobs import notices as job
from models import AuditEvent, Notice
from services import clock, held_letters
from services.audit import By
from tests.factories import make_client, make_user
from tests.page import Browser
from tests.smtp_sink import SmtpSink


@pytest.fixture
def operator(app, base):
    return Browser(app, make_user(role=Role.CLERK))


@pytest.fixture
def client(base):
    return make_client(name="ООО «Ромашка»")


def make_held(client, **values):
    n = Notice.select().count()
    return Notice.create(
        **{
            "client": client, "key": f"n{n}", "kind": "feedback_answer", "message_id": f"<{n}@x>",
            "recipient": "anna@romashka.by", "words": {"number": 5}, "created_at": clock.now(),
            "state": "failed", "reason": "mail_address_refused", "smtp_reply": "550 no such box",
            "attempts": 3, "link_path": "/feedback/k", **values,
        }
    )  # fmt: skip


def test_what_did_not_go_is_counted_and_listed_with_its_reason(operator, client):
    make_held(client)
    make_held(client, state="unknown", reason="mail_unconfirmed")
    make_held(client, state="sent", sent_at=clock.now(), reason="")
    make_held(client, state="ready", next_try_at=clock.now())
    page = operator.get("operator.show")
    assert page.select_one("a[href$='/operator/letters/']").text == "Неотправленные письма: 2"
    rows = operator.get("operator.letters.index").select("tbody tr")
    assert len(rows) == 2
    assert "возможно, отправлено" in rows[0].text
    for text in ("Ответ на обращение", "ООО «Ромашка»", "a***@r***.by", "550 no such box"):
        assert text in rows[1].text
    assert "anna@romashka.by" not in rows[1].text


@pytest.mark.parametrize("state", ["failed", "unknown"])
def test_a_second_try_sends_it(app, operator, client, state, monkeypatch):
    held = make_held(client, state=state)
    button = operator.get("operator.letters.index").select_one("tbody form")
    operator.post(button["action"])
    assert "Письмо отправляется повторно" in operator.follow().text
    assert AuditEvent.get(AuditEvent.event == "notice_retried").subject == f"notice:{held.id}"
    with SmtpSink() as sink:
        settings = {"MAIL_SERVER": "localhost", "MAIL_PORT": sink.port, "MAIL_TIMEOUT_S": 10}
        monkeypatch.setitem(app.config, "CABINET", replace(app.config["CABINET"], **settings))
        job.send(0)
        [letter] = sink.accepted
    assert letter.recipients == ("anna@romashka.by",)
    assert Notice.get().state == "sent"
    assert held_letters.count() == 0
    operator.post(button["action"], status=404)


def test_a_letter_whose_link_is_over_is_not_sent(operator, client):
    held = make_held(client, expires_at=clock.now() - timedelta(minutes=1))
    page = operator.get("operator.letters.index")
    assert not page.select("tbody form")
    operator.post("operator.letters.retry", key=held.key)
    assert "больше не имеет смысла" in operator.follow().text
    assert not held_letters.retry(held, by=By(now=clock.now()))


def test_without_any_the_page_says_so(operator):
    assert "Все письма отправлены" in operator.get("operator.letters.index").text
    assert not operator.get("operator.show").select("a[href$='/operator/letters/']")
