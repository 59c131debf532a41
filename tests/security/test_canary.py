"""Nothing of those it serves is in the cabinet's logs, in Redis, in traces or in subjects of
letters: `canary.py` takes things that occur nowhere else through it, here they are looked for.
"""

import json
import re
from email import message_from_bytes, policy
from urllib.parse import quote

import pytest
from redis import Redis

from tests import databases
from tests.run.conftest import Cabinet
from tests.run.test_chain import contents
from tests.security import canary as bird
from tests.security.canary import (
    ACCOUNT,
    ADDRESS,
    MAIL_PASSWORD,
    NAME,
    NUMBER,
    NUMBER_WRITTEN,
    OPERATOR_PASSWORD,
    PASSWORD,
    TYPED_WRONG,
    Canary,
)
from tests.smtp_sink import SmtpSink


@pytest.fixture(scope="module")
def canary(tmp_path_factory):
    """A cabinet in which all of it has happened, still running."""
    with SmtpSink() as sink:
        cabinet = Cabinet(
            tmp_path_factory.mktemp("canary") / "var",
            DEMO_PASSWORD=OPERATOR_PASSWORD,
            MAIL_SERVER="127.0.0.1",
            MAIL_PORT=sink.port,
            MAIL_USERNAME="cabinet",
            MAIL_PASSWORD=MAIL_PASSWORD,
            ORDERS_PER_HOUR=0,
            RECONCILE_EVERY_S=1,
        )
        try:
            bird.settle_in(cabinet)
            canary = Canary(cabinet.start(), sink)
            bird.send_files(canary)
            someone = bird.knock(canary)
            bird.order_and_fail(canary, someone)
            bird.look_around(canary, someone)
            yield canary
        finally:
            cabinet.clear()


def canaries(canary):
    """What must not be found: (name, pattern of bytes), however it is written."""
    digits = r"[ ()-]{0,2}".join(NUMBER[3:])
    found = {
        "number": digits,
        "name": f"(?i){NAME}",
        "address": f"(?i){re.escape(ADDRESS)}|{re.escape(quote(ADDRESS, safe=''))}",
        "password": "|".join(map(re.escape, (PASSWORD, TYPED_WRONG, quote(PASSWORD)))),
        "mail password": re.escape(MAIL_PASSWORD),
        "order key": "|".join(map(re.escape, canary.orders)),
        "token": "|".join(re.escape(token) for token in canary.tokens if len(token) > 8),
    }
    return {name: re.compile(pattern.encode()) for name, pattern in found.items()}


def hits(canary, where, data):
    """[(place, what, surroundings)] of canaries in some bytes."""
    return [
        (where, name, data[max(0, match.start() - 60) : match.end() + 20])
        for name, pattern in canaries(canary).items()
        for match in [pattern.search(data)]
        if match
    ]


def test_the_logs_say_nothing_of_it(canary):
    logs = sorted((canary.cabinet.data_dir / "logs").glob("*.log*"))
    assert {path.stem for path in logs} >= {"web", "worker-1", "reconcile", "valkey"}
    content = {path.name: path.read_bytes() for path in logs}
    assert b"order" in content["worker-1.log"], "nothing was written: nothing was tried"
    assert b"trace" in content["worker-1.log"]
    assert [hit for name, data in content.items() for hit in hits(canary, name, data)] == []
    assert hits(canary, "output", canary.cabinet.output.encode()) == []


def test_every_line_of_our_logs_is_one_event(canary):
    for path in (canary.cabinet.data_dir / "logs").glob("*.log"):
        if path.stem != "valkey":  # a program of others
            for line in path.read_text("ascii").splitlines():
                assert {"at", "level", "logger", "message"} <= set(json.loads(line)), path.name


def test_redis_holds_nothing_of_it(canary):
    socket = canary.cabinet.data_dir / "valkey" / "valkey.sock"
    with Redis(unix_socket_path=str(socket)) as connection:
        everything = b"\n".join(contents(connection))
    assert b"rq:" in everything
    assert hits(canary, "Redis", everything) == []
    for path in (canary.cabinet.data_dir / "valkey").rglob("*"):
        if path.is_file():
            assert hits(canary, path.name, path.read_bytes()) == []


def test_what_is_kept_about_failures_says_nothing_of_it(canary):
    url, folder = canary.cabinet.env["CABINET_DATABASE_URL"], canary.cabinet.data_dir
    kept = {
        "details": "SELECT reason, detail FROM customer_order WHERE detail <> ''",
        "replies": "SELECT smtp_reply FROM mail WHERE smtp_reply <> ''",
        "imports": "SELECT error, rejects FROM import_run",
        "audit": "SELECT event, subject, ip, detail FROM audit_event",
        "sign-ins": "SELECT account_hash, ip FROM sign_in_failure",
    }
    for name, sql in kept.items():
        rows = databases.ask(url, folder, sql)
        assert rows, name
        assert hits(canary, name, repr(rows).encode()) == []
    traces = databases.ask(url, folder, kept["details"])
    assert any("Traceback" in detail for _reason, detail in traces)


def test_subjects_of_letters_say_nothing_of_it(canary):
    assert canary.sink.taken
    for taken in canary.sink.taken:
        letter = message_from_bytes(taken.content, policy=policy.default)
        assert hits(canary, "subject", letter["Subject"].encode()) == []


def test_the_search_finds_what_is_there(canary):
    """The canaries themselves: where they belong the same search does find them."""
    base = canary.cabinet.query(
        "SELECT name, invoice_email FROM client WHERE account_no = ?", ACCOUNT
    )
    assert len(hits(canary, "the table", repr(base).encode())) == 2
    assert hits(canary, "a number as people write it", NUMBER_WRITTEN.encode())
    assert {token for token in canary.tokens if len(token) > 8}
