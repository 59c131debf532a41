"""Threads of feedback: opened, answered, settled, counted; their files, letters and limits."""

import email.policy
import errno
import io
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes

import pytest

from domain.attachments import FileRefused
from domain.errors import (
    NoSpaceForFiles,
    StateUnknown,
    TextMissing,
    TextTooLong,
    ThreadClosed,
    TooManyMessages,
)
from domain.feedback import Side, Subject, ThreadState
from domain.roles import Role
from jobs import notices as job
from models import AuditEvent, Notice, User, db
from models_feedback import FeedbackFile, FeedbackMessage, FeedbackThread
from services import (
    clock,
    feedback,
    feedback_about,
    feedback_files,
    feedback_inbox,
    feedback_reading,
    reconcile,
    storage,
    verify,
)
from services.feedback_files import Incoming
from tests import factories
from tests.apps import another_app
from tests.factories import NOON
from tests.smtp_sink import SmtpSink

PDF = b"%PDF-1.7\n%%EOF\n"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def place(app, base):
    """Where files of messages lie; empty before and after."""
    folder = app.config["CABINET"].feedback_dir
    shutil.rmtree(folder, ignore_errors=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def user(client_row):
    return factories.make_user(client_row)


@pytest.fixture
def clerk(base):
    return factories.make_user(role=Role.CLERK)


@pytest.fixture
def limits(app, monkeypatch):
    def change(**settings):
        monkeypatch.setitem(app.config, "CABINET", replace(app.config["CABINET"], **settings))

    return change


def open_thread(user, text="Почему так?", *, form_key="form", now=NOON, **more):
    return feedback.open_thread(
        Subject.BILLS, text, client=user.client, user=user, form_key=form_key, now=now, **more
    )


def answer(thread, user, text="Еще вопрос", *, form_key="second", now=NOON + MINUTE, **more):
    feedback.answer(thread, text, client=user.client, user=user, form_key=form_key, now=now, **more)


def reply(thread, clerk, *, state=ThreadState.SOLVED, form_key="reply", now=NOON + 2 * MINUTE, **m):
    feedback_inbox.answer(
        thread, "Потому что", state=state, user=clerk, form_key=form_key, now=now, **m
    )


def again(thread):
    return FeedbackThread.get_by_id(thread.id)


def pdf(name="Счет.pdf", content=PDF):
    return Incoming(name, io.BytesIO(content))


def kept(place):
    return sorted(path.name for path in place.iterdir()) if place.is_dir() else []


def words_of(thread):
    return [(each.message.side, each.message.text) for each in feedback_reading.messages_of(thread)]


# --- Threads --------------------------------------------------------------------------------------


def test_threads_are_numbered_within_a_client(user):
    stranger = factories.make_user()
    first, other = open_thread(user, form_key="1"), open_thread(stranger, form_key="1")
    second = open_thread(user, form_key="2")
    assert (first.number, second.number, other.number) == (1, 2, 1)
    assert again(first).state == ThreadState.NEW
    assert again(first).waits_since == NOON
    assert verify.run() == []


def test_a_form_sent_twice_opens_one_thread_and_writes_one_message(user, place):
    first = open_thread(user, files=[pdf()])
    assert open_thread(user, "Другие слова", files=[pdf(), pdf()]) == first
    for _ in range(2):
        answer(first, user, files=[pdf()])
    assert [text for _side, text in words_of(first)] == ["Почему так?", "Еще вопрос"]
    assert len(kept(place)) == FeedbackFile.select().count() == 2


def test_the_text_is_counted_as_it_is_kept(user):
    assert open_thread(user, "  " + "ы" * 1998 + "\r\n.\r\n").id
    with pytest.raises(TextTooLong) as refused:
        open_thread(user, "ы" * 2003, form_key="long")
    assert refused.value.values == {"limit": 2000, "over": 3}
    for nothing in ("", " \r\n\t "):
        with pytest.raises(TextMissing):
            open_thread(user, nothing, form_key="none")
    assert FeedbackThread.select().count() == 1


def test_what_a_thread_is_about_is_the_clients_own(user):
    order = factories.make_order(user.client, user=user)
    number = factories.make_subscriber(user.client)
    call = factories.make_call(number)
    foreign_order = factories.make_order()
    foreign_call = factories.make_call(factories.make_subscriber())
    own = {
        f"order:{order.key}": feedback_about.About(order=order),
        f"number:{number.id}": feedback_about.About(subscriber=number),
        f"call:{number.id}-{call.started_at}-{call.seq}": feedback_about.About(
            subscriber=number, call=(call.started_at, call.seq)
        ),
    }
    for word, about in own.items():
        assert feedback_about.find(word, user.client) == about
        assert about.word() == word
    for word in (
        f"order:{foreign_order.key}",
        f"call:{foreign_call.subscriber_id}-{foreign_call.started_at}-{foreign_call.seq}",
        f"call:{number.id}-{foreign_call.started_at}-{foreign_call.seq + 1}",
        f"number:{foreign_call.subscriber_id}", "number:99999999999999999999",
        "number:9223372036854775808", "number:x", "order:", "nothing:1", "order:a'b", "number:1:2",
    ):  # fmt: skip
        assert feedback_about.find(word, user.client) is None, word
    thread = open_thread(user, about=own[f"order:{order.key}"].with_number(number))
    holds = verify.feedback.a_thread_is_about_something_of_its_client
    assert list(holds()) == []
    FeedbackThread.update(order=foreign_order).where(FeedbackThread.id == thread.id).execute()
    assert len(list(holds())) == 1


def test_an_answer_moves_the_state_and_the_queue(user, clerk):
    thread = open_thread(user)
    answer(thread, user)
    assert (again(thread).state, again(thread).waits_since) == (ThreadState.NEW, NOON)
    reply(thread, clerk, state=ThreadState.AWAITS_CLIENT)
    assert (again(thread).state, again(thread).waits_since) == ("awaits_client", None)
    answer(thread, user, form_key="third", now=NOON + 3 * MINUTE)
    assert again(thread).state == ThreadState.IN_WORK
    assert again(thread).waits_since == NOON + 3 * MINUTE
    reply(thread, clerk, form_key="reply2", now=NOON + 4 * MINUTE)
    answer(thread, user, form_key="fourth", now=NOON + 5 * MINUTE)
    assert again(thread).state == ThreadState.IN_WORK, "solved, and opened anew by writing"


def test_a_closed_thread_is_opened_by_a_button_only(user, clerk):
    thread = open_thread(user)
    assert not feedback.reopen(thread, user=user, now=NOON)
    reply(thread, clerk, state=ThreadState.CLOSED)
    with pytest.raises(ThreadClosed):
        answer(thread, user)
    assert feedback.rate(thread, 4, user=user, now=NOON)
    assert feedback.reopen(thread, user=user, now=NOON + 3 * MINUTE)
    assert not feedback.reopen(thread, user=user, now=NOON + 4 * MINUTE)
    row = again(thread)
    assert (row.state, row.waits_since, row.rating) == ("in_work", NOON + 3 * MINUTE, None)
    answer(thread, user)


def test_only_what_is_settled_is_rated_and_by_five_marks(user, clerk):
    thread = open_thread(user)
    assert not feedback.rate(thread, 5, user=user, now=NOON)
    reply(thread, clerk)
    for rating in (0, 6, -1, 100):
        assert not feedback.rate(thread, rating, user=user, now=NOON)
    assert feedback.rate(thread, 5, user=user, now=NOON)
    assert again(thread).rating == 5


def test_a_state_is_set_without_an_answer_by_the_operator(user, clerk):
    thread = open_thread(user)
    assert feedback_inbox.set_state(thread, ThreadState.IN_WORK, user=clerk, now=NOON)
    assert again(thread).waits_since == NOON, "in work is not yet answered"
    assert not feedback_inbox.set_state(thread, ThreadState.IN_WORK, user=clerk, now=NOON)
    assert feedback_inbox.set_state(thread, ThreadState.CLOSED, user=clerk, now=NOON)
    assert again(thread).waits_since is None
    for call in (feedback_inbox.set_state,):
        with pytest.raises(StateUnknown):
            call(thread, ThreadState.NEW, user=clerk, now=NOON)
    with pytest.raises(StateUnknown):
        reply(thread, clerk, state=ThreadState.NEW)


def test_each_deed_is_written_down_without_words(user, clerk, place):
    thread = open_thread(user, "Секрет", files=[pdf("Секрет.pdf")])
    answer(thread, user, "Секрет")
    reply(thread, clerk)
    feedback_inbox.note(thread, "Секрет", user=clerk, form_key="n", now=NOON)
    feedback_inbox.set_state(thread, ThreadState.CLOSED, user=clerk, now=NOON)
    feedback.rate(thread, 5, user=user, now=NOON)
    feedback.reopen(thread, user=user, now=NOON)
    rows = AuditEvent.select().where(AuditEvent.subject == f"feedback_thread:{thread.id}")
    assert [row.event.removeprefix("feedback_") for row in rows.order_by(AuditEvent.id)] == [
        "opened", "answered", "answered", "noted", "state_set", "rated", "reopened",
    ]  # fmt: skip
    assert {row.client_id for row in rows} == {user.client_id}
    assert not any("Секрет" in repr(row.detail) for row in rows)


# --- Reading --------------------------------------------------------------------------------------


def test_a_note_is_for_the_operator_alone(user, clerk):
    thread = open_thread(user)
    feedback_inbox.note(thread, "Звонил, ругался", user=clerk, form_key="n", now=NOON + MINUTE)
    feedback_inbox.note(thread, "Звонил, ругался", user=clerk, form_key="n", now=NOON + MINUTE)
    assert words_of(thread) == [("client", "Почему так?")]
    theirs = feedback_reading.messages_of(thread, with_notes=True)
    assert [each.message.side for each in theirs] == [Side.CLIENT, Side.NOTE]
    row = again(thread)
    assert (row.last_at, row.waits_since, row.state) == (NOON, NOON, ThreadState.NEW)
    assert not feedback_reading.unread_of(user.client, user).exists()
    assert not Notice.select().exists()


def test_an_answer_is_new_to_each_user_until_they_read_it(user, clerk):
    colleague, later = factories.make_user(user.client), factories.make_user(user.client)
    User.update(created_at=NOON + timedelta(days=1)).where(User.id == later.id).execute()
    later = User.get_by_id(later.id)
    thread = open_thread(user)
    assert not feedback_reading.unread_of(user.client, user).exists()
    reply(thread, clerk)

    def unread(who):
        return [row.id for row in feedback_reading.unread_of(user.client, who)]

    assert unread(user) == unread(colleague) == [thread.id]
    assert unread(later) == [], "it was answered before they came"
    for _ in range(2):
        feedback_reading.mark_seen(thread, feedback_reading.messages_of(thread), user)
    assert (unread(user), unread(colleague)) == ([], [thread.id])
    reply(thread, clerk, form_key="reply2")
    assert unread(user) == [thread.id]
    page = feedback_reading.find_page(user.client, user, None, 1, size=20)
    assert page.unread == {thread.id}


def test_a_list_is_paged_and_narrowed_and_nobody_elses(user, clerk):
    threads = [open_thread(user, form_key=str(n), now=NOON + n * MINUTE) for n in range(5)]
    open_thread(factories.make_user())
    reply(threads[0], clerk, now=NOON + timedelta(hours=1))
    page = feedback_reading.find_page(user.client, user, None, 1, size=2)
    assert [row.number for row in page.threads] == [1, 5]
    assert (page.pages, page.found) == (3, 5)
    assert feedback_reading.find_page(user.client, user, None, 99, size=2).number == 3
    solved = feedback_reading.find_page(user.client, user, ThreadState.SOLVED, 1, size=2)
    assert [row.number for row in solved.threads] == [1]


def test_the_inbox_begins_with_what_waits_longest(user, clerk):
    other = factories.make_user()
    first = open_thread(user, now=NOON)
    second = open_thread(other, now=NOON + MINUTE)
    third = open_thread(user, form_key="3", now=NOON + 2 * MINUTE)
    reply(first, clerk, now=NOON + 3 * MINUTE)

    def inbox(group, client=None):
        page = feedback_inbox.find_page(group, client, 1, size=20)
        return [row.id for row in page.threads]

    assert inbox("waiting") == [second.id, third.id]
    assert inbox("all") == [second.id, third.id, first.id]
    answer(first, user, now=NOON + 4 * MINUTE)
    assert inbox("waiting") == [second.id, third.id, first.id], "a new question waits anew"
    assert inbox("all", user.client) == [third.id, first.id]
    assert inbox("new") == [second.id, third.id]
    assert feedback_inbox.count_waiting() == 3


# --- Limits ---------------------------------------------------------------------------------------


def test_messages_of_an_hour_have_a_limit_for_each_user(user, limits):
    limits(FEEDBACK_PER_HOUR=3)
    thread = open_thread(user)
    for n in range(2):
        answer(thread, user, form_key=f"a{n}", now=NOON + n * MINUTE)
    for refused in (
        lambda: answer(thread, user, form_key="b", now=NOON + 10 * MINUTE),
        lambda: open_thread(user, form_key="c", now=NOON + 10 * MINUTE),
    ):
        with pytest.raises(TooManyMessages) as error:
            refused()
        assert error.value.values == {"limit": 3, "retry_after_s": 3000, "minutes": 50}
    open_thread(factories.make_user(user.client), form_key="d")
    answer(thread, user, form_key="a1", now=NOON + 10 * MINUTE)  # a repeat is none
    answer(thread, user, form_key="e", now=NOON + 61 * MINUTE)


def test_no_limit_is_set_by_0(user, limits):
    limits(FEEDBACK_PER_HOUR=0)
    for n in range(25):
        open_thread(user, form_key=str(n))


# --- Files ----------------------------------------------------------------------------------------


def test_a_file_is_kept_under_a_name_that_nobody_chose(user, place):
    thread = open_thread(user, files=[pdf("../../../etc/Счет.pdf")])
    (file,) = FeedbackFile.select()
    assert kept(place) == [file.name]
    assert len(file.name) == 32
    assert int(file.name, 16)
    assert file.display_name == "Счет.pdf"
    assert feedback_files.path_of(file).read_bytes() == PDF
    assert feedback_files.path_of(file).stat().st_mode & 0o777 == 0o600
    assert place.stat().st_mode & 0o077 == 0
    assert feedback_files.find(thread, file.id) == file
    assert feedback_files.find(open_thread(factories.make_user()), file.id) is None
    assert verify.run() == []


def test_a_file_that_was_changed_on_disk_is_not_handed_out(user, place):
    thread = open_thread(user, files=[pdf()])
    (file,) = FeedbackFile.select()
    feedback_files.path_of(file).write_bytes(b"%PDF-9.9\n")
    assert feedback_files.find(thread, file.id) is None
    feedback_files.path_of(file).unlink()
    assert feedback_files.find(thread, file.id) is None
    assert [breach.check for breach in verify.run()] == ["a_file_lies_where_its_message_says"]


def test_one_bad_file_keeps_the_whole_message_back(user, place, limits):
    limits(FEEDBACK_FILES=2, FEEDBACK_FILE_MB=1)
    large = PDF + b"x" * (1 << 20)
    for files, code in (
        ([pdf(), pdf("a.exe")], "file_kind"),
        ([pdf(), pdf("a.zip")], "file_content"),
        ([pdf(), pdf(content=large)], "file_size"),
        ([pdf(), pdf(), pdf()], "file_count"),
    ):
        with pytest.raises(FileRefused) as refused:
            open_thread(user, files=files)
        assert refused.value.code == code
    assert (kept(place), FeedbackThread.select().count()) == ([], 0)


def test_files_of_a_client_have_a_limit_together(user, place, limits):
    limits(FEEDBACK_QUOTA_MB=1)
    most = PDF + b"x" * 600_000
    thread = open_thread(user, files=[pdf(content=most)])
    with pytest.raises(FileRefused) as refused:
        answer(thread, factories.make_user(user.client), files=[pdf(content=most)])
    assert refused.value.code == "files_quota"
    assert len(kept(place)) == 1
    answer(thread, user)
    open_thread(factories.make_user(), files=[pdf(content=most)])


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_and_leaves_nothing(user, place, monkeypatch, code):
    real, calls = os.fsync, []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) > 2:  # the second file's
            raise OSError(code, os.strerror(code))
        real(descriptor)

    monkeypatch.setattr(storage.os, "fsync", full)
    with pytest.raises(NoSpaceForFiles):
        open_thread(user, files=[pdf(), pdf()])
    assert (kept(place), FeedbackThread.select().count()) == ([], 0)
    monkeypatch.setattr(storage.os, "fsync", real)
    open_thread(user)


def test_a_disk_with_little_room_takes_words_but_no_files(user, place, limits):
    limits(MIN_FREE_PERCENT=99)
    with pytest.raises(NoSpaceForFiles):
        open_thread(user, files=[pdf()])
    open_thread(user)
    assert kept(place) == []


def test_a_message_that_is_not_stored_leaves_no_file(user, place, monkeypatch):
    def fail(*_args, **_more):
        raise RuntimeError

    monkeypatch.setattr(feedback, "add_message", fail)
    with pytest.raises(RuntimeError):
        open_thread(user, files=[pdf()])
    assert (kept(place), FeedbackThread.select().count()) == ([], 0)


def test_what_belongs_to_no_message_goes_after_a_day(user, place):
    open_thread(user, files=[pdf()])
    (file,) = FeedbackFile.select()
    for name in ("left", "left.1.2.part"):
        (place / name).write_bytes(b"x")
    assert feedback_files.remove_orphans(now=clock.now()) == 0
    assert reconcile.tick(now=clock.now() + timedelta(hours=25)).failed == 0
    assert kept(place) == [file.name]
    (place / "late").write_bytes(b"x")
    soon, later = (clock.now() + timedelta(hours=25, minutes=m) for m in (30, 90))
    assert feedback_files.remove_orphans(now=soon) == 0, "looked at half an hour before"
    assert feedback_files.remove_orphans(now=later) == 1


# --- Letters --------------------------------------------------------------------------------------


def test_a_letter_tells_of_the_answer_and_of_nothing_more(app, user, clerk, limits, monkeypatch):
    thread = open_thread(user, "Мой секрет")
    monkeypatch.setattr(clock, "now", lambda: NOON + 5 * MINUTE)
    with SmtpSink() as sink:
        limits(MAIL_SERVER="localhost", MAIL_PORT=sink.port, MAIL_TIMEOUT_S=10)
        reply(thread, clerk)
        reply(thread, clerk)  # the form is sent again
        job.send(0)
        (taken,) = sink.taken
    letter = message_from_bytes(taken.content, policy=email.policy.default)
    assert list(taken.recipients) == [user.client.detail_email]
    assert letter["Subject"] == f"Есть ответ на обращение № {thread.number}"
    text = letter.get_body(("plain",)).get_content()
    assert f"/feedback/{thread.key}" in text
    for private in ("секрет", "Потому что", user.client.name, user.login, clerk.login):
        assert private not in taken.content.decode("ascii", "replace")
        assert private not in text
        assert private not in letter.get_body(("html",)).get_content()


def test_the_letter_goes_to_the_authors_own_address_while_they_may_sign_in(user, clerk):
    User.update(email="anna@romashka.by").where(User.id == user.id).execute()
    thread = open_thread(User.get_by_id(user.id))
    reply(feedback_inbox.find(thread.key), clerk)
    User.update(is_active=False).where(User.id == user.id).execute()
    reply(feedback_inbox.find(thread.key), clerk, form_key="reply2")
    to = [row.recipient for row in Notice.select().order_by(Notice.id)]
    assert to == ["anna@romashka.by", user.client.detail_email]


# --- At once --------------------------------------------------------------------------------------


def test_one_form_sent_by_many_at_once_is_one_thread(tmp_path):
    with another_app(tmp_path) as app:
        user = factories.make_user()

        def send(_n):
            with app.app_context(), db.connection_context():
                return open_thread(user, files=[pdf()]).number

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(send, range(8))) == {1}
        assert FeedbackMessage.select().count() == 1
        assert len(kept(app.config["CABINET"].feedback_dir)) == 1


def test_different_forms_sent_at_once_get_numbers_of_their_own(tmp_path):
    with another_app(tmp_path) as app:
        user = factories.make_user()

        def send(n):
            with app.app_context(), db.connection_context():
                return open_thread(user, form_key=str(n)).number

        with ThreadPoolExecutor(8) as pool:
            assert sorted(pool.map(send, range(8))) == list(range(1, 9))
