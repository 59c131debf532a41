"""What is kept for a time by settings and then removed by the reconciler."""

from datetime import timedelta

import pytest

from models import AuditEvent, Notice
from services import audit, clock, reconcile, retention
from services.audit import AuditEventKind
from tests.factories import make_client

DAY = timedelta(days=1)


def notice(client, days, **values):
    """A letter that was written so many days ago."""
    n = Notice.select().count()
    return Notice.create(
        **{
            "client": client, "key": f"n{n}", "kind": "feedback_answer", "message_id": f"<{n}@x>",
            "recipient": "i@romashka.by", "words": {"number": 1}, "state": "sent",
            "created_at": clock.now() - days * DAY, "sent_at": clock.now() - days * DAY, **values,
        }
    )  # fmt: skip


@pytest.fixture
def client(base):
    return make_client()


def test_letters_go_after_ninety_days_and_those_on_their_way_never(client):
    old = notice(client, 91)
    held = notice(client, 91, state="unknown", sent_at=None, reason="mail_unconfirmed")
    kept = [
        notice(client, 89),
        notice(client, 91, state="ready", sent_at=None, next_try_at=clock.now()),
        notice(client, 91, sent_at=clock.now()),
    ]
    assert retention.remove_notices(now=clock.now()) == 2
    assert {row.id for row in Notice.select()} == {row.id for row in kept}
    assert old.id != held.id
    assert retention.remove_notices(now=clock.now()) == 0


def test_the_audit_trail_goes_after_three_years(client):
    for days in (1096, 1094, 0):
        audit.record(AuditEventKind.SIGNED_IN, now=clock.now() - days * DAY, client=client)
    assert retention.remove_audit(now=clock.now()) == 1
    assert AuditEvent.select().count() == 2
    assert retention.remove_audit(now=clock.now()) == 0


def test_a_backlog_goes_in_parts(client, monkeypatch):
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    for days in (1100, 1102, 1101):
        audit.record(AuditEventKind.SIGNED_IN, now=clock.now() - days * DAY, client=client)
    assert retention.remove_audit(now=clock.now()) == 2
    [last] = AuditEvent.select()
    assert last.at > clock.now() - 1101 * DAY, "the oldest go first"


def test_the_reconciler_does_it(client):
    notice(client, 91)
    audit.record(AuditEventKind.SIGNED_IN, now=clock.now() - 1096 * DAY, client=client)
    assert reconcile.tick(now=clock.now()).failed == 0
    assert not Notice.select().exists()
    assert not AuditEvent.select().where(AuditEvent.event == "signed_in").exists()
