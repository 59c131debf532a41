"""A full disk: nothing is half done, people are told in words, and it is over as soon as there is
room again. Needs the right to mount a small disk; elsewhere these tests are left out.
"""

import os
import subprocess
import time
from contextlib import suppress
from datetime import timedelta
from urllib.error import HTTPError

import pytest

from domain.orders import OrderState
from models import Artefact, AuditEvent, Mail, Order, OrderSubscriber, db
from services import artefacts, verify
from services.transactions import DiskFull, write_tx
from tests import databases
from tests.apps import another_app
from tests.chaos.post import Post
from tests.factories import (
    NOON,
    make_call,
    make_client,
    make_import_run,
    make_order,
    make_subscriber,
    make_user,
)
from tests.page import Browser
from tests.run.conftest import Cabinet, wait_for
from tests.run.person import Person
from tests.smtp_sink import SmtpSink
from texts import ERRORS, gettext

KB = 1024
beside_the_database = pytest.mark.skipif(
    "databases.kind == 'postgresql'", reason="the server's data lie on another disk"
)


class Disk:
    """A small disk of its own, and a file that takes all the room there is but for some."""

    def __init__(self, folder):
        self.folder = folder
        self.ballast = folder / "ballast"

    def fill(self, but=0):
        self.ballast.unlink(missing_ok=True)
        with self.ballast.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(4 * KB)):
                pass
        os.truncate(self.ballast, max(0, self.ballast.stat().st_size - but))

    def empty(self):
        self.ballast.unlink(missing_ok=True)


def mounted(folder, megabytes):
    """Mount a small disk, or leave the test out."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a small disk cannot be mounted here")
    return Disk(folder)


def unmount(folder):
    subprocess.run(["umount", "--lazy", str(folder)], check=False)  # noqa: S603, S607


@pytest.fixture
def disk(tmp_path):
    yield mounted(tmp_path, 12)
    unmount(tmp_path)


@pytest.fixture
def post(disk, monkeypatch):
    """Orders on a data dir that lies on the small disk."""
    with another_app(disk.folder / "var") as app, app.app_context(), SmtpSink() as sink:
        yield Post(app, sink, monkeypatch)


def leave_no_room(disk, but=0):
    """Neither in the log of SQLite, which grows to its size once and keeps it."""
    disk.empty()
    if databases.kind == "sqlite":
        db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    disk.fill(but)


def keep_room_in_the_log(disk, but=0):
    """As it is after some work: the log has its size and begins anew, all else is full."""
    disk.empty()
    client = make_client()
    with write_tx():
        for _ in range(400):
            make_subscriber(client)
    if databases.kind == "sqlite":
        db.execute_sql("PRAGMA wal_checkpoint(PASSIVE)")
    disk.fill(but)


def check_whole():
    """What must hold whenever there is room again."""
    if databases.kind == "sqlite":
        assert db.execute_sql("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert verify.run() == []


@beside_the_database
def test_an_order_is_refused_in_words_or_taken_whole(disk, post):
    """With less and less missing: at some point a draft can be written and its order cannot."""
    client = make_client()
    numbers = [make_subscriber(client).number for _ in range(400)]
    browser = Browser(post.app, make_user(client))
    period = {"start": "2026-03-01", "end": "2026-03-10", "direction": "both"}
    browser.post("bills.call_detail.start", {**period, "file_format": "xlsx"})
    step2 = browser.response.location
    before = AuditEvent.select().count()
    for room in range(0, 400 * KB, 12 * KB):
        leave_no_room(disk, but=room)
        answer = post_order(browser, step2, numbers)
        if answer.status_code == 303:
            break
        assert answer.status_code == 503
        assert gettext(ERRORS["no_space_left"]) in answer.text
        assert int(answer.headers["Retry-After"]) > 0
        assert (Order.across_clients().count(), AuditEvent.select().count()) == (0, before)
        browser.get("orders.index")  # reading needs no room
    assert room > 0
    order = Order.across_clients().get()
    assert OrderSubscriber.select().where(OrderSubscriber.order == order).count() == 400
    disk.empty()
    check_whole()
    assert post.carry(order).state == OrderState.SENT
    check_whole()


def post_order(browser, address, numbers):
    form = {"csrf_token": browser.token(), "typed": ", ".join(numbers), "go": "submit"}
    return browser.client.post(address, data=form)


@pytest.mark.parametrize("form", ["xlsx", "csv", "pdf"])
def test_an_order_without_room_for_its_file_waits_and_says_why(disk, post, form):
    order = post.place(params={"format": form})
    keep_room_in_the_log(disk)
    after = post.carry(order)
    assert (after.state, after.reason) == (OrderState.RETRY_WAIT, "no_space")
    assert not Artefact.select().exists()
    assert not [path for path in disk.folder.rglob("art/*/*") if path.stat().st_size]
    disk.empty()
    post.wait(order)
    assert post.carry(order).state == OrderState.SENT
    assert len(post.sink.accepted) == 1
    check_whole()


def test_an_order_without_room_for_its_letter_keeps_the_file(disk, post):
    """The letter is a third larger than the file: there is room for one of them."""
    client = make_client()
    subscribers = [make_subscriber(client) for _ in range(2000)]  # a row of sums for each
    user, params = make_user(client), {"format": "csv"}
    subscriber = subscribers[0]
    run = make_import_run()
    for n in range(3000):
        make_call(subscriber, NOON - timedelta(seconds=n), import_run=run)
    order = make_order(client, [subscriber], number=1, user=user, params=params)
    post.carry(order)
    size = Artefact.get().size
    order = make_order(client, [subscriber], number=2, user=user, params=params)
    keep_room_in_the_log(disk, but=size + 48 * KB)
    after = post.carry(order)
    assert (after.state, after.reason) == (OrderState.RETRY_WAIT, "no_space")
    made = Artefact.get(Artefact.order == order)
    assert artefacts.is_whole(made)
    assert not Mail.select().where(Mail.order == order).exists()
    disk.empty()
    post.wait(order)
    assert post.carry(order).state == OrderState.SENT
    assert Artefact.get(Artefact.order == order).sha256 == made.sha256
    assert len(post.sink.accepted) == 2


@beside_the_database
def test_an_order_whose_row_cannot_be_written_is_not_lost(disk, post):
    """With any amount of room missing; what could not be written down is only tried later."""
    order = post.place()
    for room in range(0, 160 * KB, 16 * KB):
        leave_no_room(disk, but=room)
        with suppress(DiskFull):
            post.carry(order)
        after = Order.get_by_id(order.id)
        assert after.is_open or after.state == OrderState.SENT
        post.wait(order)
        post.now += timedelta(seconds=post.app.config["CABINET"].LEASE_S + 1)
    disk.empty()
    post.rounds(post.now + timedelta(hours=2))
    assert Order.get_by_id(order.id).state == OrderState.SENT
    post.check_nothing_is_lost()
    check_whole()


@pytest.mark.long
@beside_the_database
def test_a_running_cabinet_goes_on_when_there_is_room_again(tmp_path):
    """Web server, workers and Valkey, whose own log cannot be written either."""
    disk = mounted(tmp_path, 160)
    cabinet = Cabinet(tmp_path / "var", DEMO_PASSWORD="demo-pass", MIN_FREE_PERCENT=0)
    try:
        cabinet.start()
        person = Person(f"http://127.0.0.1:{cabinet.port}/")
        person.sign_in("demo", "demo-pass")
        waiting = walk_to_the_list(person)
        disk.fill()
        for _ in range(3):
            with pytest.raises(HTTPError) as refused:
                order_everything(person)
            assert refused.value.code == 503
            assert "мало места" in refused.value.read().decode()
            person.open("/orders/")
            person.open(waiting)
            time.sleep(5)  # what runs beside the web server notices, too
        assert cabinet.query("SELECT count(*) FROM customer_order") == (0,)
        disk.empty()
        assert order_everything(person)
        sent = "SELECT 1 FROM customer_order WHERE state = 'sent'"
        wait_for(lambda: cabinet.query(sent), "the letter")
        assert cabinet.process.poll() is None
        assert cabinet.query("PRAGMA integrity_check") == ("ok",)
        said, _ = cabinet.flask("verify").communicate(timeout=60)
        assert " 0 breaches" in said
    finally:
        cabinet.clear()
        unmount(tmp_path)


def walk_to_the_list(person):
    person.open("/bills/call-detail/")
    person.press("Далее")
    return person.url


def order_everything(person):
    return person.press(
        "Сформировать детализацию",
        tick=[box["value"] for box in person.page.select("input[name=tick]")],
    )
