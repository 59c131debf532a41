"""What is written down: one JSON object a line whatever stands in it, and no number, address or
message of an error.
"""

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from domain.errors import NumberTaken
from jobs.worker import CabinetWorker
from services import claims, clock, log
from tests.factories import NOON, make_order, make_user
from tests.page import Browser

ROOT = Path(__file__).parents[2]
NAME = "Pet" + "rov"  # so that no line of this file has it, which traces show
BREAKERS = [
    *("a\nb", "a\r\nb", "a\rb", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "a\x0bb", "a\x0cb"),
    *(
        "a\x1cb",
        "a\x85b",
        "a\u2028b",
        "a\u2029b",
        "\x9b31m",
        "a\0b",
        "a\bb",
        "\ud800",
        "\u202eevil",
    ),
    *('{"level": "info"}', '"}\n{"level": "critical", "message": "all is lost', "%s %d %(x)s"),
]


@pytest.fixture
def written():
    """Events of a logger of ours, as lines."""
    handler = logging.StreamHandler(stream := _Lines())
    handler.setFormatter(log.JsonLines())
    logger = logging.Logger("tests.log")  # noqa: LOG001 - below no other, whose handlers would choke
    logger.addHandler(handler)
    return logger, stream.lines


class _Lines:
    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass

    def lines(self):
        assert self.text.isascii()
        assert self.text.endswith("\n")
        lines = self.text[:-1].split("\n")
        assert not any(sign in line for line in lines for sign in map(chr, range(32)))
        return [json.loads(line) for line in lines]


@pytest.mark.parametrize("text", BREAKERS, ids=ascii)
def test_whatever_stands_in_an_event_it_is_one_line(written, text):
    logger, lines = written
    logger.warning("before %s after", text)
    logger.warning(text, "an argument that does not fit")
    try:
        int(text)
    except ValueError:
        logger.exception(text)
    assert [set(event) for event in lines()] == [
        {"at", "level", "logger", "pid", "message"},
        {"at", "level", "logger", "pid", "message"},
        {"at", "level", "logger", "pid", "message", "trace"},
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("to buh@romashka.by", "to b***@r***.by"),
        ("375291234567", "***"),
        ("+375 29 123-45-67 rang", "*** rang"),
        ("8 (029) 123-45-67", "***"),
        ("80291234567;80291234568", "***;***"),
        ("order 17 of run 123456", "order 17 of run 123456"),
        ("127.0.0.1:8000", "127.0.0.1:8000"),
    ],
)
def test_numbers_and_addresses_are_masked(text, expected):
    assert log.masked(text) == expected


def fail(error):
    """An error that led to another one."""
    try:
        try:
            raise error
        except type(error) as cause:
            raise RuntimeError(f"{NAME} again") from cause
    except RuntimeError as caught:
        return caught


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError(f"no room for {NAME}"), "ValueError\n"),
        (KeyError(NAME), "KeyError\n"),
        (OSError(28, "No space left", f"/var/{NAME}"), "OSError: [Errno 28] No space left\n"),
        (OSError(NAME), "OSError\n"),
        (NumberTaken(NAME, number=NAME), "NumberTaken: number_taken\n"),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero\n"),
        (UnicodeEncodeError("ascii", NAME, 0, 1, "x"), "UnicodeEncodeError\n"),
    ],
)
def test_an_error_is_told_by_its_place_and_type(error, told):
    text = log.trace_text(fail(error))
    assert told in text
    assert NAME not in text
    assert text.count("in fail") == 2
    assert text.endswith("RuntimeError\n")


def test_a_trace_in_a_message_of_others_loses_what_it_says(written):
    import traceback  # noqa: PLC0415 - only here

    logger, lines = written
    text = "".join(
        traceback.format_exception(fail(ValueError(f"Iv{NAME}\n{NAME}\n  {NAME}\n    {NAME}")))
    )
    logger.error("job failed\n%s", text)
    (event,) = lines()
    assert "in fail" in event["message"]
    assert "ValueError" in event["message"]
    assert NAME not in event["message"]


def test_an_order_keeps_the_trace_of_its_failure_without_the_message(base, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOON)
    order = make_order()
    with claims.attempt(claims.claim_next(now=NOON)):
        raise ValueError(NAME)
    detail = type(order).get_by_id(order.id).detail
    assert "test_logs.py" in detail
    assert "ValueError" in detail
    assert NAME not in detail


def test_redis_keeps_no_message_of_an_error(monkeypatch):
    kept = []
    monkeypatch.setattr(
        "rq.Worker.handle_job_failure", lambda *args, **_kwargs: kept.append(args[-1])
    )
    worker = CabinetWorker.__new__(CabinetWorker)
    try:
        int(NAME)
    except ValueError:
        worker.handle_job_failure(None, None, exc_string=f"Traceback\nValueError: {NAME}")
    worker.handle_job_failure(None, None, exc_string="Work-horse terminated unexpectedly")
    assert "ValueError" in kept[0]
    assert NAME not in kept[0]
    assert kept[1] == "Work-horse terminated unexpectedly"


@pytest.mark.parametrize("text", BREAKERS[:12], ids=ascii)
def test_what_a_request_brings_along_does_not_break_a_line(app, base, caplog, text):
    """A sign-in, an address and headers with signs in them; refused, and each event a line."""
    browser = Browser(app, make_user())
    with caplog.at_level(logging.INFO):
        clean = text.replace("\r", "").replace("\n", "").replace("\0", "")
        clean = clean.encode("latin-1", "ignore").decode("latin-1")
        browser.client.get(f"/orders/{text}", headers={"User-Agent": clean, "X-Request-Id": clean})
        browser.client.post("/login", data={"login": text, "password": text})
        browser.client.post("/logout", headers={"Origin": clean})
    assert caplog.records
    formatter = log.JsonLines()
    for record in caplog.records:
        line = formatter.format(record)
        assert "\n" not in line
        assert line.isascii()
        json.loads(line)


def test_a_process_says_its_last_word_as_json_too():
    code = "from services import log; log.set_up(); raise ValueError('Pet' + 'rov')"
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False, text=True
    )
    assert (done.returncode, done.stderr) == (1, "")
    (event,) = map(json.loads, done.stdout.splitlines())
    assert event["level"] == "critical"
    assert event["trace"].endswith("ValueError\n")
    assert NAME not in done.stdout
