"""The cabinet as real processes: starts, heals itself, refuses in a sentence, leaves nothing."""

import json
import os
import re
import signal
import smtplib
import socket
import urllib.error
import urllib.request

import pytest
from redis import Redis

from tests.run.conftest import wait_for


def get(cabinet, path):
    """(status, body) of a page."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{cabinet.port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


def is_ready(cabinet):
    return get(cabinet, "/readyz")[0] == 200


def mail_port(cabinet):
    return cabinet.port + 10_000


def takes_mail(cabinet):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", mail_port(cabinet))) == 0


def send_far_too_much(cabinet, path):
    """(status, text) of the answer to a form of 40 MB, read when all of it has been sent."""
    address = f"http://127.0.0.1:{cabinet.port}{path}"
    request = urllib.request.Request(address, b"x" * (40 << 20))
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def send(cabinet, subject):
    with smtplib.SMTP("127.0.0.1", mail_port(cabinet), timeout=10) as server:
        server.sendmail("a@localhost", ["b@localhost"], f"Subject: {subject}\r\n\r\nText\r\n")


def test_it_says_where_it_is_and_how_to_sign_in(running):
    assert f"http://127.0.0.1:{running.port}/" in running.output
    assert "demo-large" in running.output
    assert "operator" in running.output
    assert get(running, "/healthz")[0] == 200
    status, body = get(running, "/readyz")
    assert (status, json.loads(body)["degraded"]) == (200, [])


def test_the_code_of_an_error_stands_in_the_log(running):
    status, page = get(running, "/login?next=%00")
    assert status == 400
    code = re.search(r"Код ошибки: ([0-9a-f]{8})<", page)[1]
    log = running.data_dir / "logs" / "web.log"
    wait_for(lambda: code in log.read_text(encoding="utf-8"), "the line of the log")


def test_the_embedded_server_keeps_jobs(running):
    with Redis(unix_socket_path=str(running.data_dir / "valkey" / "valkey.sock")) as connection:
        assert connection.info("memory")["maxmemory_policy"] == "noeviction"
        assert connection.info("persistence")["aof_enabled"] == 1
    assert len(running.pids("valkey-server")) == 1


@pytest.mark.parametrize(
    "words", ["flask worker", "flask reconcile", "flask mailbox", "valkey-server", "granian"]
)
def test_a_killed_part_comes_back(running, words):
    before = running.pids(words)
    os.kill(before[0], signal.SIGKILL)
    wait_for(lambda: set(running.pids(words)) - set(before), f"a new {words}")
    wait_for(lambda: before[0] not in running.pids(words), "the dead one to be gone")
    wait_for(lambda: is_ready(running), "readiness")


def test_the_mailbox_keeps_messages_in_order(running):
    folder = running.data_dir / "mail"
    wait_for(lambda: takes_mail(running), "SMTP")
    there = len(list(folder.glob("*.eml"))) if folder.exists() else 0
    send(running, "first")
    (before,) = running.pids("flask mailbox")
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: {*running.pids("flask mailbox")} - {before}, "a new mailbox")
    wait_for(lambda: takes_mail(running), "SMTP")
    send(running, "second")
    new = sorted(folder.glob("*.eml"))[there:]
    assert [path.name for path in new] == [f"{there + 1:06}.eml", f"{there + 2:06}.eml"]
    assert [path.read_bytes().split(b"\r\n")[0] for path in new] == [
        b"Subject: first",
        b"Subject: second",
    ]


def test_a_second_run_on_the_same_data_is_refused(running, make_cabinet):
    status, lines = make_cabinet(running.data_dir).refusal()
    assert (status, len(lines)) == (1, 1)
    assert f"A cabinet already runs on {running.data_dir}" in lines[0]
    assert is_ready(running)


def test_a_taken_port_is_said_before_anything_is_started(running, make_cabinet):
    cabinet = make_cabinet(PORT=running.port)
    status, lines = cabinet.refusal()
    assert (status, len(lines)) == (1, 1)
    assert f"CABINET_PORT: cannot listen on 127.0.0.1:{running.port}" in lines[0]
    assert not (cabinet.data_dir / "cabinet.db").exists()


def test_one_signal_stops_everything_and_the_data_is_kept(make_cabinet):
    cabinet = make_cabinet().start()
    with Redis(unix_socket_path=str(cabinet.data_dir / "valkey" / "valkey.sock")) as connection:
        connection.set("kept", "1")
    assert cabinet.stop(signal.SIGINT) == 0, cabinet.output
    assert cabinet.pids() == []
    cabinet.start()
    with Redis(unix_socket_path=str(cabinet.data_dir / "valkey" / "valkey.sock")) as connection:
        assert connection.get("kept") == b"1"
    assert cabinet.stop() == 0
    assert cabinet.pids() == []


@pytest.mark.long  # the patience of the supervisor, 15 s
def test_a_part_that_does_not_stop_is_killed(make_cabinet):
    cabinet = make_cabinet(DEMO=0).start()
    os.kill(cabinet.pids("flask reconcile")[0], signal.SIGSTOP)
    assert cabinet.stop() == 0
    assert "reconcile did not stop in time" in cabinet.output
    assert cabinet.pids() == []


def test_after_a_killed_supervisor_nothing_is_left_in_the_way(make_cabinet):
    cabinet = make_cabinet(DEMO=0).start()
    cabinet.process.kill()
    cabinet.process.communicate()
    cabinet.start()  # at once: its port and its Valkey are still being left
    assert is_ready(cabinet)
    assert cabinet.stop() == 0
    wait_for(lambda: not cabinet.pids(), "the parts of the killed run to end")


def test_a_valkey_left_running_is_sent_away(make_cabinet):
    cabinet = make_cabinet(DEMO=0).start()
    valkey = cabinet.pids("valkey-server")[0]
    os.kill(valkey, signal.SIGSTOP)  # so that it misses its supervisor's end
    cabinet.process.kill()
    cabinet.process.communicate()
    os.kill(valkey, signal.SIGCONT)
    cabinet.start()
    assert cabinet.pids("valkey-server") != [valkey]
    assert len(cabinet.pids("valkey-server")) == 1


@pytest.mark.parametrize(
    ("data_dir", "settings", "sentence"),
    [
        ("/proc/cabinet", {}, "CABINET_DATA_DIR: cannot write to /proc/cabinet"),
        ("{tmp}/file/var", {}, "CABINET_DATA_DIR: cannot write to"),
        ("{tmp}/" + "x" * 100, {}, "CABINET_DATA_DIR is too long"),
        ("{tmp}/var", {"PORT": "http"}, "CABINET_PORT: a whole number, not 'http'"),
        ("{tmp}/var", {"PORT": 70000}, "CABINET_PORT: from 1 to 65535, not 70000"),
        ("{tmp}/var", {"HOST": "no.such.host.invalid"}, "no address no.such.host.invalid"),
        ("{tmp}/var", {"TIME_ZONE": "Minsk"}, "CABINET_TIME_ZONE: no time zone named 'Minsk'"),
        ("{tmp}/var", {"DATABASE_URL": "postgresql://127.0.0.1:1/x"}, "database cannot be used"),
    ],
)
def test_what_cannot_work_is_said_in_one_sentence(
    make_cabinet, tmp_path, data_dir, settings, sentence
):
    (tmp_path / "file").write_bytes(b"")
    status, lines = make_cabinet(data_dir.format(tmp=tmp_path), **settings).refusal()
    assert status == 1
    assert len(lines) == 1, lines
    assert sentence in lines[0]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/login", "Отправьте меньше"),
        ("/operator/imports/upload", "Войдите"),  # nobody is signed in: not even looked at
    ],
)
def test_whoever_sends_far_too_much_reads_why_it_was_refused(running, path, words):
    status, text = send_far_too_much(running, path)
    assert status in {200, 401, 413}
    assert words in text
