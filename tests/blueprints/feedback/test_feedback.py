"""«Обратная связь» as a client's people use it, without JavaScript: asking, reading, answering,
files, and what a stranger sees of it.
"""

import io
import shutil
from dataclasses import replace

import pytest

from blueprints import receiving
from domain.roles import Role
from models import AuditEvent, Order
from models_feedback import FeedbackFile, FeedbackMessage, FeedbackThread
from services import clock, feedback_files
from tests import factories
from tests.page import Browser

PDF = b"%PDF-1.7\n%%EOF\n"


@pytest.fixture(autouse=True)
def place(app):
    folder = app.config["CABINET"].feedback_dir
    shutil.rmtree(folder, ignore_errors=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def limits(app, monkeypatch):
    def change(**settings):
        monkeypatch.setitem(app.config, "CABINET", replace(app.config["CABINET"], **settings))

    return change


@pytest.fixture
def viewer(app, client_row):
    return Browser(app, factories.make_user(client_row, role=Role.VIEWER))


def filled(page, **values):
    """The fields of the form on a page as a browser sends them, some typed anew."""
    form = page.select_one("form[enctype]")
    fields = {field["name"]: field.get("value", "") for field in form.select("input[type=hidden]")}
    fields |= {field["name"]: field.text.strip() for field in form.select("textarea")}
    if number := form.select_one("input[name=number]"):
        fields["number"] = number.get("value", "")
    for choice in form.select("select"):
        chosen = choice.select_one("option[selected]")
        fields[choice["name"]] = chosen["value"] if chosen else ""
    return {**fields, **values}


def ask(browser, *, status=303, query="", **values):
    page = browser.get(f"/feedback/new{query}")
    values = {"subject": "bills", "text": "Почему так?", **values}
    return browser.post("feedback.ask", filled(page, **values), status=status)


def files(*named):
    return {"files": [(io.BytesIO(content), name) for name, content in named]}


def errors(page):
    return [line.text for line in page.select(".summary li")]


# --- Asking ---------------------------------------------------------------------------------------


def test_a_question_becomes_a_thread_with_its_text_and_files(browser, client_row):
    ask(browser, text="Строка\r\nвторая <b>", **files(("Счет №5.pdf", PDF)))
    page = browser.follow()
    assert page.h1.text == "Обращение № 1"
    assert "Обращение № 1 принято" in page.select_one("#flash").text
    (message,) = page.select(".said > li")
    assert message.select_one(".words").text == "Строка\nвторая <b>"
    assert message.select_one(".files a").text == "Счет №5.pdf"
    thread = FeedbackThread.get()
    assert (thread.client, thread.user) == (client_row, browser.user)
    listed = browser.get("feedback.show")
    assert [cell.text for cell in listed.select("tbody tr td:nth-of-type(1)")] == ["Счета"]
    assert listed.select_one("tbody .tag").text == "Новое"
    assert listed.select_one("#menu a[aria-current=page]").text == "Обратная связь"


def test_the_subjects_are_those_of_the_business(browser):
    page = browser.get("feedback.new")
    assert [option.text for option in page.select("#subject option")][1:] == [
        "Счета", "Детализация", "Платежи", "Рассрочка", "SIP/качество связи", "Доступ",
        "Колл-центр", "Другое",
    ]  # fmt: skip


def test_a_form_sent_twice_asks_once(browser):
    page = browser.get("feedback.new")
    for _ in range(2):
        sent = filled(page, subject="sip", text="Эхо", **files(("a.pdf", PDF)))
        browser.post("feedback.ask", sent)
        assert browser.response.location.endswith(FeedbackThread.get().key)
    assert FeedbackMessage.select().count() == FeedbackFile.select().count() == 1


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"text": ""}, "Напишите, в чем вопрос"),
        ({"text": "ы" * 2001}, "Знаков больше, чем можно (2\xa0000), на 1: сократите текст"),
        ({"subject": ""}, "Выберите тему"),
        ({"subject": "nothing"}, "Not a valid choice"),
        ({"number": "375291"}, "Не найден среди номеров вашей компании"),
        ({"form_key": "x"}, "Форма устарела"),
        ({"csrf_token": "x"}, "Форма устарела"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(browser, typed, sentence):
    page = ask(browser, status=422, **{"number": "", **typed})
    assert page.title.text.startswith("Ошибка: ")
    if "subject" not in typed or not typed["subject"]:
        assert any(line.startswith(sentence) for line in errors(page))
    assert page.select_one("#text").text.strip() == typed.get("text", "Почему так?")
    assert page.select_one("#number")["value"] == typed.get("number", "")
    assert not FeedbackThread.select().exists()
    again = filled(page, subject="bills", text="Почему так?", number="")
    browser.post("feedback.ask", again)
    assert FeedbackThread.select().count() == 1


def test_a_typed_number_is_found_however_it_is_written(browser, client_row):
    own = factories.make_subscriber(client_row, number="375291234567")
    foreign = factories.make_subscriber(number="375297654321")
    ask(browser, number="+375 (29) 123-45-67")
    assert FeedbackThread.get().subscriber == own
    assert "375291234567" in browser.follow().select_one("dl.sum").text
    page = ask(browser, status=422, number=foreign.number)
    assert errors(page) == ["Не найден среди номеров вашей компании"]


# --- From where one came --------------------------------------------------------------------------


def test_an_order_leads_to_a_question_about_it(browser, client_row):
    order = factories.make_order(client_row, user=browser.user)
    link = browser.get("orders.show", key=order.key).find("a", string="Вопрос по этому заказу")
    page = browser.get(link["href"])
    assert f"№ {order.number}" in page.select_one("dl.sum").text
    assert page.select_one("#subject option[selected]")["value"] == "call_detail"
    browser.post("feedback.ask", filled(page, text="Где файл?"))
    assert FeedbackThread.get().order == order
    assert browser.follow().select_one("dl.sum a")["href"] == f"/orders/{order.key}"


def test_a_call_leads_to_a_question_about_it(browser, client_row):
    number = factories.make_subscriber(client_row)
    call = factories.make_call(number, clock.now())
    where = {"subscriber": number.id, "started": call.started_at, "seq": call.seq}
    page = browser.get("bills.charges.call", **where)
    page = browser.get(page.find("a", string="Вопрос по этому звонку")["href"])
    assert not page.select("#number"), "a call has its own"
    browser.post("feedback.ask", filled(page, text="Дорого"))
    thread = FeedbackThread.get()
    assert (thread.subscriber, thread.call_started_at, thread.call_seq) == (
        number, call.started_at, call.seq,
    )  # fmt: skip
    link = browser.follow().select_one("dl.sum a")["href"]
    assert browser.get(link).h1.text == "Почему такая цена"


def test_a_number_leads_to_a_question_about_it_and_can_be_changed(browser, client_row):
    number, other = (factories.make_subscriber(client_row) for _ in range(2))
    page = browser.get("bills.charges.number", subscriber=number.id)
    page = browser.get(page.find("a", string="Вопрос по этому номеру")["href"])
    assert page.select_one("#number")["value"] == number.number
    browser.post("feedback.ask", filled(page, subject="sip", text="Эхо", number=other.number))
    assert FeedbackThread.get().subscriber == other


def test_what_is_not_ones_own_is_not_there(browser, app):
    foreign = factories.make_order()
    call = factories.make_call(factories.make_subscriber())
    words = (
        f"order:{foreign.key}", "order:nobodys", f"number:{call.subscriber_id}",
        f"call:{call.subscriber_id}-{call.started_at}-{call.seq}", "invoice:x", "x" * 5000,
    )  # fmt: skip
    page = browser.get("feedback.new")
    for word in words:
        browser.get("feedback.new", about=word, status=404)
        sent = filled(page, subject="bills", text="Что это?", about=word)
        browser.post("feedback.ask", sent, status=404)
    assert not FeedbackThread.select().exists()
    refused = AuditEvent.select().where(AuditEvent.event == "authz_fail")
    assert {row.subject for row in refused} == {f"customer_order:{foreign.id}"}


# --- A thread -------------------------------------------------------------------------------------


def test_answering_reopening_and_rating(browser, client_row):
    thread = factories.make_thread(client_row, user=browser.user, state="solved", waits_since=None)
    page = browser.get("feedback.thread", key=thread.key)
    browser.post(f"/feedback/{thread.key}/rate", {"rating": "4"})
    assert "4 из 5" in browser.follow().select_one("dl.sum").text
    browser.post(f"/feedback/{thread.key}/reopen")
    page = browser.follow()
    assert page.select_one("dl.sum .tag").text == "В работе"
    assert not page.find("button", string="Переоткрыть")
    browser.post(f"/feedback/{thread.key}/answer", filled(page, text="А теперь?"))
    assert [words.text for words in browser.follow().select(".words")] == [
        "Почему так?", "А теперь?",
    ]  # fmt: skip


def test_a_closed_thread_has_no_form_and_says_why(browser, client_row):
    thread = factories.make_thread(client_row, user=browser.user, state="closed")
    page = browser.get("feedback.thread", key=thread.key)
    assert not page.select("textarea")
    sent = {"form_key": "a" * 24, "text": "Еще"}
    page = browser.post(f"/feedback/{thread.key}/answer", sent, status=422)
    assert errors(page) == ["Обращение закрыто. Чтобы написать в нем, переоткройте его."]
    assert FeedbackMessage.select().count() == 1


def test_too_many_messages_wait_and_the_text_stays(browser, client_row, limits):
    limits(FEEDBACK_PER_HOUR=1)
    ask(browser)
    page = ask(browser, status=429, text="Еще одно")
    assert 0 < int(browser.response.headers["Retry-After"]) <= 3600
    assert not isinstance(page, str)
    assert "Еще одно" in browser.response.text
    assert "Не более 1 сообщений в час" in browser.response.text


def test_a_new_answer_is_counted_beside_the_menu_until_it_is_read(browser, client_row):
    clerk = factories.make_user(role=Role.CLERK)
    thread = factories.make_thread(client_row, user=browser.user)
    assert not browser.get("orders.index").select("#menu .count")
    factories.make_message(thread, side="operator", user=clerk, text="Потому")
    factories.make_message(thread, side="note", user=clerk, text="Скандалист")
    page = browser.get("feedback.show")
    assert page.select_one("#menu .count").text == "Новых: 1"
    assert page.select_one("tbody .tag.warn").text == "новый ответ"
    page = browser.get("feedback.thread", key=thread.key)
    assert "Скандалист" not in browser.response.text
    assert page.select_one(".said .operator .by b").text == "Оператор"
    assert clerk.login not in browser.response.text
    assert not browser.get("feedback.show").select("#menu .count, tbody .tag.warn")


def test_a_list_has_pages_and_states(browser, client_row):
    for n in range(25):
        factories.make_thread(client_row, number=n + 1, state="new" if n else "closed")
    page = browser.get("feedback.show")
    assert len(page.select("tbody tr")) == 20
    assert len(browser.get("feedback.show", page=2).select("tbody tr")) == 5
    assert len(browser.get("feedback.show", page=99).select("tbody tr")) == 5
    closed = browser.get("feedback.show", state="closed")
    assert len(closed.select("tbody tr")) == 1
    assert "Таких обращений нет" in browser.get("feedback.show", state="solved").main.text
    assert len(browser.get("feedback.show", state="bad'").select("tbody tr")) == 20


def test_a_viewer_reads_and_neither_writes_nor_fetches(viewer, client_row, app):
    thread = factories.make_thread(client_row)
    place = app.config["CABINET"].feedback_dir
    file = factories.make_feedback_file(thread.messages.get(), place, PDF)
    page = viewer.get("feedback.thread", key=thread.key)
    assert "Счет.pdf" in page.main.text
    assert not page.main.select("form, .files a")
    assert not viewer.get("feedback.show").find("a", string="Новое обращение")
    viewer.get(f"/feedback/{thread.key}/files/{file.id}", status=403)
    viewer.get("feedback.new", status=403)
    viewer.post(f"/feedback/{thread.key}/answer", {"text": "Я"}, status=403)


def test_another_clients_thread_is_one_that_does_not_exist(browser, stranger, client_row, app):
    thread = factories.make_thread(client_row)
    place = app.config["CABINET"].feedback_dir
    file = factories.make_feedback_file(thread.messages.get(), place, PDF)
    mine = factories.make_thread(stranger.user.client)
    stranger.get("feedback.thread", key=thread.key, status=404)
    stranger.get(f"/feedback/{thread.key}/files/{file.id}", status=404)
    stranger.get(f"/feedback/{mine.key}/files/{file.id}", status=404)
    for action in ("answer", "reopen", "rate"):
        stranger.post(f"/feedback/{thread.key}/{action}", {"text": "Я"}, status=404)
    assert FeedbackMessage.select().where(FeedbackMessage.thread == thread).count() == 1
    refused = AuditEvent.select().where(AuditEvent.event == "authz_fail")
    assert {row.subject for row in refused} == {f"feedback_thread:{thread.id}"}


# --- Files ----------------------------------------------------------------------------------------


def test_a_file_is_saved_and_never_shown(browser):
    ask(browser, **files(("Счет №5.pdf", PDF)))
    link = browser.follow().select_one(".files a")["href"]
    response = browser.get(link)
    assert response.data == PDF
    assert response.mimetype == "application/pdf"
    disposition = response.headers["Content-Disposition"]
    assert disposition.startswith("attachment; filename=file-")
    assert "filename*=UTF-8''%D0%A1%D1%87%D0%B5%D1%82%20%E2%84%965.pdf" in disposition
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert AuditEvent.select().where(AuditEvent.event == "file_downloaded").count() == 1


@pytest.mark.parametrize(
    "name",
    [
        "../../../../tmp/x.pdf", "..\\..\\x.pdf", "/etc/x.pdf", "a\"; filename=\"b.html.pdf",
        "a\tb.pdf", "<script>alert(1)</script>.pdf", "\u202efdp.x.pdf", "ы" * 300 + ".pdf",
        "=cmd|' /C calc'!A0.pdf", "CON.pdf", "a%0d%0aSet-Cookie: x.pdf",
    ],
)  # fmt: skip
def test_a_hostile_name_leads_nowhere(browser, place, name):
    ask(browser, **files((name, PDF)))
    (file,) = FeedbackFile.select()
    assert [path.name for path in place.iterdir()] == [file.name]
    page = browser.follow()
    assert not page.main.select("script")
    response = browser.get(page.select_one(".files a")["href"])
    assert response.data == PDF
    disposition = response.headers["Content-Disposition"]
    assert disposition.isascii()
    assert disposition.count("filename") == 2
    assert disposition.endswith(".pdf")
    assert not set(file.display_name) & set('/\\<>"|?*\r\n\t\u202e')


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        (files(("a.html", b"<script>")), "a.html: такие файлы не принимаются"),
        (files(("a.png", b"<svg onload=alert(1)>")), "a.png: внутри не PNG"),
        (files(("a.pdf", PDF), ("b.pdf", b"")), "b.pdf: файл пуст"),
        (files(("a.pdf", PDF + b"x" * 10_000)), "a.pdf: больше 1 МБ"),
        (files(*[("a.pdf", PDF)] * 3), "Файлов с одним сообщением может быть не больше 2"),
    ],
    ids=["kind", "content", "empty", "size", "count"],
)
def test_a_refused_file_is_named_and_the_text_stays(
    browser, limits, place, sent, sentence, monkeypatch
):
    limits(FEEDBACK_FILES=2, FEEDBACK_FILE_MB=1)
    monkeypatch.setattr(feedback_files, "MB", 10_000)  # a real one would go to a temporary file
    sent = {"files": [(io.BytesIO(file.getvalue()), name) for file, name in sent["files"]]}
    page = ask(browser, status=422, text="Важный текст", **sent)
    assert errors(page)[0].startswith(sentence)
    assert page.select_one("#text").text.strip() == "Важный текст"
    assert "выберите их еще раз" in page.select_one("#files-hint").text
    assert page.select_one("#files")["aria-invalid"] == "true"
    assert not FeedbackThread.select().exists()
    assert list(place.glob("*")) == []


def test_far_more_than_may_be_sent_is_413_and_names_the_limit(browser, limits, place, monkeypatch):
    limits(FEEDBACK_FILES=1, FEEDBACK_FILE_MB=1)
    monkeypatch.setattr(receiving, "MB", 10_000)
    page = browser.get("feedback.new")
    sent = filled(page, subject="bills", text="x", **files(("a.pdf", PDF + b"x" * 40_000)))
    browser.post("feedback.ask", sent, status=413)
    assert "не более 2 МБ" in browser.response.text
    assert list(place.glob("*")) == []


def test_many_files_are_not_read(browser):
    page = browser.get("feedback.new")
    sent = filled(page, subject="bills", text="x", **files(*[("a.pdf", PDF)] * 51))
    browser.post("feedback.ask", sent, status=413)
    assert not FeedbackThread.select().exists()


def test_without_room_on_the_disk_the_text_can_still_be_sent(browser, limits):
    limits(MIN_FREE_PERCENT=99)
    page = ask(browser, status=503, text="Важный текст", **files(("a.pdf", PDF)))
    assert "мало места для файлов" in page.get_data(as_text=True)
    assert "Важный текст" in browser.response.text
    assert browser.response.headers["Retry-After"] == "600"
    ask(browser, text="Важный текст")
    assert FeedbackThread.select().count() == 1


def test_nobody_sends_files_without_signing_in(anonymous, place):
    anonymous.post("feedback.ask", {"text": "x", **files(("a.pdf", PDF))})
    assert anonymous.response.location.startswith("/login")
    assert not place.exists()


def test_a_nul_in_the_text_is_refused(browser):
    ask(browser, status=400, text="a\0b")
    assert not Order.select().exists()


def test_without_files_there_is_no_control_for_them(browser, limits):
    limits(FEEDBACK_FILES=0)
    assert not browser.get("feedback.new").select("input[type=file]")
    ask(browser)
