"""Letters that no order asked for, in real conversations with a mail server: none lost, none
doubled without a flag, and no link that works kept anywhere.
"""

import email.policy
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes

import pytest

from domain.orders import MailState
from jobs import notices as job
from jobs import orders as orders_job
from models import Notice
from services import clock, letter_links, notice_sending, notices, reconcile, verify
from services.transactions import write_tx
from tests import smtp_sink
from tests.factories import NOON, make_client
from tests.smtp_sink import SmtpSink

WORDS = {
    "company": "ООО «Ромашка»", "asked_at": "10.03.2026 12:00", "asked_by": "Анна",
    "old_method": "email", "old_email": "b***@r***.by", "method": "email",
    "email": "n***@r***.by", "until": "11.03.2026 12:00", "hours": 24, "effective_at": "",
}  # fmt: skip


@pytest.fixture
def sink():
    with SmtpSink() as server:
        yield server


@pytest.fixture
def now(app, base, sink, monkeypatch):
    """A moment that a test moves: `now[0] = …`. Letters go to `sink`."""
    moment = [NOON]
    monkeypatch.setattr(clock, "now", lambda: moment[0])
    change(app, monkeypatch, MAIL_SERVER="localhost", MAIL_PORT=sink.port, MAIL_TIMEOUT_S=10)
    return moment


def change(app, monkeypatch, **settings):
    monkeypatch.setitem(app.config, "CABINET", replace(app.config["CABINET"], **settings))


def post(**values):
    values = {
        "client": make_client(),
        "link": notices.Link("/bills/delivery/confirm/", "seed"),
        "now": NOON,
        **values,
    }
    recipient = values.pop("recipient", "new@romashka.by")
    with write_tx():
        return notices.post("delivery_confirm", recipient, WORDS, **values)


def again(notice):
    return Notice.get_by_id(notice.id)


def letter(taken):
    return message_from_bytes(taken.content, policy=email.policy.default)


def test_a_letter_goes_once_and_leads_to_its_page(sink, now):
    notice = post()
    job.send(0)
    job.send(0)
    (taken,) = sink.accepted
    assert taken.recipients == ("new@romashka.by",)
    message = letter(taken)
    assert message["Message-ID"] == f"<n{notice.key}.1@127.0.0.1>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Subject"] == "Подтвердите адрес для счетов"
    link = f"http://127.0.0.1:8000/bills/delivery/confirm/{letter_links.token_of('seed')}"
    for kind in ("plain", "html"):
        text = message.get_body((kind,)).get_content()
        assert link in text
        assert "ООО «Ромашка»" in text
    after = again(notice)
    assert (after.state, after.sent_at, after.lease_until) == (MailState.SENT, NOON, None)
    assert not verify.run()


def test_an_order_job_that_wakes_sends_a_letter_too(sink, now):
    """A queue full of orders keeps no letter waiting."""
    notice = post()
    orders_job.carry(0)
    assert again(notice).state == MailState.SENT


def test_neither_the_row_nor_the_data_dir_holds_the_link(app, sink, now):
    post(link=notices.Link("/bills/delivery/confirm/", seed := letter_links.new_seed("x")))
    token = letter_links.token_of(seed)
    job.send(0)
    assert (
        token in sink.accepted[0].content.decode("ascii")
        or token in letter(sink.accepted[0]).get_body(("plain",)).get_content()
    )
    assert token not in repr(list(Notice.select().dicts()))
    folder = app.config["CABINET"].data_dir
    assert not [p for p in folder.rglob("*") if p.is_file() and token.encode() in p.read_bytes()]
    assert letter_links.token_of("seed") != letter_links.token_of("seed2")


def test_a_server_that_is_away_is_asked_again_and_the_bytes_are_the_same(sink, now):
    notice = post()
    sink.mode = smtp_sink.LATER_451
    job.send(0)
    after = again(notice)
    assert (after.state, after.reason, after.attempts) == (MailState.READY, "mail_refused", 1)
    assert after.next_try_at >= NOON + timedelta(minutes=1)
    job.send(0)
    assert again(notice).attempts == 1, "not before its time"
    sink.mode = smtp_sink.OK
    now[0] = after.next_try_at
    job.send(0)
    assert again(notice).state == MailState.SENT
    first, second = sink.taken
    assert first.content == second.content


@pytest.mark.parametrize(
    ("recipient", "mode", "reason"),
    [
        ("new@romashka.by", smtp_sink.NO_ADDRESS_550, "mail_address_refused"),
        ("new@romashka.by", smtp_sink.REFUSED_554, "mail_refused"),
        ("new\r\nBcc: x@evil.example", smtp_sink.OK, "mail_address_refused"),
    ],
)
def test_a_refusal_for_good_ends_it(sink, now, recipient, mode, reason):
    sink.mode = mode
    notice = post(recipient=recipient)
    job.send(0)
    after = again(notice)
    assert (after.state, after.reason, after.next_try_at) == (MailState.FAILED, reason, None)
    assert sink.accepted == []


def test_what_cannot_be_known_is_flagged_and_sent_again_alike(sink, now):
    notice = post()
    sink.mode = smtp_sink.DROP_AFTER_DATA
    job.send(0)
    after = again(notice)
    assert (after.state, after.unknown_count) == (MailState.UNKNOWN, 1)
    sink.mode = smtp_sink.OK
    now[0] = after.next_try_at
    job.send(0)
    assert again(notice).state == MailState.SENT
    first, second = sink.taken
    assert first.content == second.content


def test_no_more_than_three_copies_go_whose_fate_nobody_knows(sink, now):
    notice = post()
    sink.mode = smtp_sink.DROP_AFTER_DATA
    for _ in range(5):
        job.send(0)
        now[0] += timedelta(hours=2)
    after = again(notice)
    assert (after.state, after.next_try_at) == (MailState.UNKNOWN, None)
    assert len(sink.taken) == after.unknown_count == 3


def test_where_copies_are_held_none_goes_twice(app, sink, now, monkeypatch):
    change(app, monkeypatch, MAIL_UNKNOWN="hold")
    notice = post()
    sink.mode = smtp_sink.DROP_AFTER_DATA
    job.send(0)
    now[0] += timedelta(hours=2)
    job.send(0)
    after = again(notice)
    assert (after.state, after.reason, after.next_try_at) == ("unknown", "mail_unconfirmed", None)
    assert len(sink.taken) == 1


def test_a_letter_that_is_of_no_use_any_more_does_not_go(sink, now):
    notice = post(expires_at=NOON + timedelta(hours=1))
    now[0] += timedelta(hours=1)
    job.send(0)
    assert (again(notice).state, again(notice).reason) == (MailState.FAILED, "letter_too_late")
    assert sink.taken == []


def test_tries_come_to_an_end(app, sink, now, monkeypatch):
    change(app, monkeypatch, MAX_ATTEMPTS=2)
    sink.mode = smtp_sink.LATER_451
    notice = post()
    for _ in range(4):
        job.send(0)
        now[0] += timedelta(hours=2)
    assert (again(notice).state, again(notice).attempts) == (MailState.FAILED, 2)


def test_who_lost_the_lease_writes_nothing(sink, now):
    notice = post()
    claim = notice_sending._claim_next(now=NOON)
    Notice.update(lease_token="another's").where(Notice.id == notice.id).execute()
    with pytest.raises(notice_sending.LeaseLost), write_tx():
        claim.write(state=MailState.SENT)
    with pytest.raises(notice_sending.LeaseLost):
        notice_sending._try(claim, again(notice))
    assert sink.taken == []


def test_the_reconciler_wakes_a_worker_for_a_letter_nobody_hinted_at(now, monkeypatch):
    hints = []
    monkeypatch.setattr("services.queue.waiting", lambda: 0)
    monkeypatch.setattr("services.queue.hint_notices", lambda: hints.append(1) or True)
    assert reconcile.tick(now=NOON).hinted == 0
    post()
    assert reconcile.tick(now=NOON).hinted == 1
    assert hints
