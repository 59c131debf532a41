"""The operator's inbox: what waits longest first, answers, notes, states, and whose it is."""

import io
import shutil

import pytest

from domain.roles import Role
from models import AuditEvent, Notice
from models_feedback import FeedbackFile, FeedbackMessage, FeedbackThread
from tests import factories
from tests.factories import NOON
from tests.page import Browser

PDF = b"%PDF-1.7\n%%EOF\n"


@pytest.fixture(autouse=True)
def place(app):
    yield app.config["CABINET"].feedback_dir
    shutil.rmtree(app.config["CABINET"].feedback_dir, ignore_errors=True)


@pytest.fixture
def thread(client_row):
    return factories.make_thread(client_row, number=7)


def again(thread):
    return FeedbackThread.get_by_id(thread.id)


def form_of(page, endpoint):
    """The fields of one form of a thread's page, by the end of its address."""
    form = page.select_one(f"form[action$='/{endpoint}']")
    fields = {field["name"]: field["value"] for field in form.select("input[type=hidden]")}
    for choice in form.select("select"):
        chosen = choice.select_one("option[selected]")
        fields[choice["name"]] = chosen["value"] if chosen else ""
    return fields


def send(browser, thread, endpoint, *, status=303, **values):
    page = browser.get("operator.feedback.show", key=thread.key)
    fields = {**form_of(page, endpoint), **values}
    return browser.post(f"operator.feedback.{endpoint}", fields, key=thread.key, status=status)


def test_the_inbox_shows_what_waits_and_is_narrowed_by_state_and_client(operator_browser, thread):
    other = factories.make_thread(created_at=NOON)
    solved = factories.make_thread(thread.client, number=8, state="solved", waits_since=None)
    page = operator_browser.get("operator.feedback.index")
    assert len(page.select("tbody tr")) == 2
    assert page.select_one("#menu .count").text == "Новых: 2"
    assert page.select_one(".filters [aria-current]").text == "Ждут ответа"
    links = [a["href"] for a in page.select("tbody a")]
    assert f"/operator/feedback/{other.key}" in links
    assert f"/operator/feedback/{solved.key}" not in links
    account = thread.client.account_no
    page = operator_browser.get("operator.feedback.index", state="all", client=account)
    assert [cell.text for cell in page.select("tbody td.num")] == ["7", "8"]
    page = operator_browser.get("operator.feedback.index", state="solved")
    assert [cell.text for cell in page.select("tbody td.num")] == ["8"]
    page = operator_browser.get("operator.feedback.index", client="nobody's")
    assert "Клиента с таким лицевым счетом нет" in page.select_one("#client-error").text
    operator_browser.get("operator.feedback.index", state="x", status=404)


def test_an_answer_is_on_the_clients_page_and_a_letter_tells_of_it(operator_browser, app, thread):
    answer = {"text": "Потому что", "state": "solved"}
    send(operator_browser, thread, "answer", **answer)
    assert "Ответ появился" in operator_browser.follow().select_one("#flash").text
    assert (again(thread).state, again(thread).waits_since) == ("solved", None)
    (letter,) = Notice.select()
    assert letter.link_path == f"/feedback/{thread.key}"
    assert letter.words == {"number": 7}
    page = operator_browser.get("operator.feedback.show", key=thread.key)
    assert "d***@e***.by: Готово к отправке" in page.main.text
    client = Browser(app, factories.make_user(thread.client))
    page = client.get("feedback.thread", key=thread.key)
    assert [words.text for words in page.select(".words")] == ["Почему так?", "Потому что"]


def test_a_form_sent_twice_answers_once(operator_browser, thread):
    page = operator_browser.get("operator.feedback.show", key=thread.key)
    for endpoint, words in (("answer", {"text": "Да"}), ("note", {"note": "Нет"})):
        for _ in range(2):
            fields = {**form_of(page, endpoint), **words}
            operator_browser.post(f"operator.feedback.{endpoint}", fields, key=thread.key)
    sides = [row.side for row in FeedbackMessage.select().order_by(FeedbackMessage.id)]
    assert sides == ["client", "operator", "note"]
    assert Notice.select().count() == 1


def test_what_is_wrong_is_said_and_what_was_typed_stays(operator_browser, thread):
    page = send(operator_browser, thread, "answer", status=422, text="ы" * 2001)
    assert page.select_one(".summary li").text.startswith("Знаков больше, чем можно")
    assert len(page.select_one("#text").text.strip()) == 2001
    page = send(operator_browser, thread, "note", status=422, note=" ")
    assert page.select_one(".summary a")["href"] == "#note"
    send(operator_browser, thread, "answer", status=422, text="Да", state="new")
    bad = {"files": [(io.BytesIO(b"MZ"), "a.exe")]}
    page = send(operator_browser, thread, "answer", status=422, text="Да", **bad)
    assert page.select_one(".summary li").text.startswith("a.exe: такие файлы не принимаются")
    assert FeedbackMessage.select().count() == 1
    assert not Notice.select().exists()


def test_files_go_both_ways(operator_browser, app, thread, place):
    theirs = factories.make_feedback_file(thread.messages.get(), place, PDF)
    response = operator_browser.get(f"/operator/feedback/{thread.key}/files/{theirs.id}")
    assert response.data == PDF
    assert response.headers["Content-Disposition"].startswith("attachment")
    send(operator_browser, thread, "answer", text="Вот", files=[(io.BytesIO(PDF), "Акт.pdf")])
    ours = FeedbackFile.select().order_by(FeedbackFile.id.desc()).get()
    client = Browser(app, factories.make_user(thread.client))
    assert client.get(f"/feedback/{thread.key}/files/{ours.id}").data == PDF
    fetched = AuditEvent.select().where(AuditEvent.event == "file_downloaded")
    assert {row.client_id for row in fetched} == {thread.client_id}


def test_a_state_is_changed_and_a_note_kept_without_a_letter(operator_browser, thread):
    page = operator_browser.get("operator.feedback.show", key=thread.key)
    words = [option.text for option in page.select("#new_state option")]
    assert words == ["В работе", "Ожидает клиента", "Решено", "Закрыто"]
    send(operator_browser, thread, "state", new_state="closed")
    assert again(thread).state == "closed"
    send(operator_browser, thread, "state", new_state="nonsense")
    send(operator_browser, thread, "note", note="Звонил")
    page = operator_browser.follow()
    assert page.select_one(".said .note .words").text == "Звонил"
    assert not Notice.select().exists()


def test_looking_is_written_down_and_clerks_may_do_it_all(app, thread):
    browser = Browser(app, factories.make_user(role=Role.CLERK))
    send(browser, thread, "answer", text="Да")
    seen = AuditEvent.select().where(AuditEvent.event == "client_viewed").first()
    assert (seen.client_id, seen.subject) == (thread.client_id, f"feedback_thread:{thread.id}")
    browser.get("operator.feedback.show", key="nobodys", status=404)


def test_what_a_thread_is_about_is_shown_without_the_clients_pages(operator_browser, client_row):
    number = factories.make_subscriber(client_row)
    order = factories.make_order(client_row, [number])
    call = factories.make_call(number)
    about = {"call_started_at": call.started_at, "call_seq": call.seq}
    thread = factories.make_thread(client_row, order=order, subscriber=number, **about)
    page = operator_browser.get("operator.feedback.show", key=thread.key)
    told = page.select_one("dl.sum")
    assert number.number in told.text
    assert "10.03.2026 12:00:00" in told.text
    links = [a["href"] for a in told.select("a")]
    assert all(link.startswith("/operator/") for link in links)
    assert f"/operator/orders/{order.key}" in links
