"""«Мобильный колл-центр»: statistics, who was missed, numbers and hours, as the page tells them."""

from datetime import datetime, timedelta

import pytest

from domain.call_centre import MemberKind
from domain.cdr.record import CallDirection, Disposition
from domain.roles import Role
from models_feedback import FeedbackThread
from services import call_centre, clock, subscriber_choice
from tests.factories import make_call, make_import_run, make_subscriber, make_user
from tests.page import Browser

NOW = datetime(2026, 3, 10, 15, tzinfo=clock.zone())
NOON = NOW.replace(hour=12)
PAGE, MISSED = "call_centre.show", "call_centre.missed"


@pytest.fixture(autouse=True)
def march(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def centre(client_row):
    """A line and two employees; of six calls four came today and one was passed on."""
    trunk = make_subscriber(client_row, number="375172000001", full_name="Вход")
    anna = make_subscriber(client_row, number="375172000002", full_name="Анна", connection=trunk)
    boris = make_subscriber(client_row, number="375172000003", full_name="Борис")
    call_centre.add(client_row, trunk, MemberKind.LINE, now=NOW)
    for row, group in ((anna, "Продажи"), (boris, "Поддержка")):
        call_centre.add(client_row, row, MemberKind.EMPLOYEE, group, now=NOW)
    run = make_import_run(last_at=int(NOON.timestamp()))
    came(trunk, NOON, "375291110001", wait=10, talk=60, run=run)
    came(trunk, NOON + timedelta(minutes=40), "375291110002", run=run, uid="a")
    came(anna, NOON + timedelta(minutes=41), "375291110002", wait=10, talk=30, run=run, uid="a")
    came(boris, NOON.replace(hour=8), "375291110003", run=run)
    came(boris, NOON.replace(hour=8, minute=50), "375291110003", run=run)
    came(boris, NOON - timedelta(days=8), "375291110004", run=run)
    came(boris, NOON - timedelta(days=25), "anonymous", run=run)
    return trunk, anna, boris


def came(subscriber, at, peer, *, wait=None, talk=0, run, **values):
    make_call(
        subscriber,
        at,
        direction=CallDirection.IN,
        peer=peer,
        disposition=Disposition.NO_ANSWER if wait is None else Disposition.ANSWERED,
        answered_at=None if wait is None else int(at.timestamp()) + wait,
        billable_s=talk,
        duration_s=20 if wait is None else wait + talk,
        import_run=run,
        **values,
    )


def cells(table):
    return [
        [cell.text.strip() for cell in row.select("th, td")] for row in table.select("tbody tr")
    ]


def test_the_period_is_told_in_working_hours_and_outside(browser, centre):
    page = browser.get("/call-centre/?period=today")
    assert page.h1.text == "Мобильный колл-центр"
    assert page.select_one(".lead").text == ("10.03.2026 – 10.03.2026. Данные на 10.03.2026 12:00.")
    work, off, total = cells(page.select_one("table"))
    assert work == [
        "в рабочее время", "2", "2", "0", "100\xa0%", "0:00:40", "–", "0:00:45",
    ]  # fmt: skip
    assert off[:5] == ["вне рабочего времени", "2", "0", "2", "0\xa0%"]
    assert off[6] == "0:00:20"
    assert total[:4] == ["Всего", "4", "2", "2"]


def test_periods_are_links(browser, centre):
    page = browser.get(PAGE)
    assert page.select_one(".quick [aria-current]").text == "Этот месяц"
    assert cells(page.select_one("table"))[2][1] == "5"
    for word, calls in (("Эта неделя", "4"), ("Прошлый месяц", "1"), ("Сегодня", "4")):
        page = browser.get(page.find("a", string=word)["href"])
        assert page.select_one(".quick [aria-current]").text == word
        assert cells(page.select_one("table"))[2][1] == calls, word
    assert "15.02" not in browser.get("/call-centre/?period=never").select_one(".lead").text


def test_callers_left_alone_are_listed_with_when_and_how_often(browser, centre):
    page = browser.get("/call-centre/?period=today")
    table = page.find("caption", string="Пропущенные без перезвона").find_parent("table")
    assert cells(table) == [
        ["375291110003", "10.03.2026 08:50:00", "10.03.2026 08:00:00", "2", "375172000003, Борис"]
    ]
    assert "1 звонивший остался без ответа" in page.text
    make_call(centre[1], NOON, peer="375291110003")
    page = browser.get("/call-centre/?period=today")
    assert "Всем пропущенным перезвонили, или они дозвонились сами." in page.text


def test_masked_callers_stay_masked(browser, client_row, centre):
    client_row.hide_incoming_peers = True
    client_row.save()
    for address in ("/call-centre/?period=today", "/call-centre/missed/?period=today"):
        page = browser.get(address)
        assert "375291110***" in page.text
        assert "375291110003" not in str(page)


def test_all_callers_left_alone_stand_on_a_page_of_their_own(browser, client_row, centre):
    run = make_import_run()
    for n in range(60):
        came(centre[0], NOON + timedelta(seconds=n), f"37529333{n:04}", run=run)
    page = browser.get(PAGE)
    assert "62 звонивших остались без ответа" in page.text
    page = browser.get(page.find("a", string="Показать всех, кому не перезвонили")["href"])
    assert page.h1.text == "Пропущенные без перезвона"
    assert page.caption.text == "Без перезвона: 62"
    assert len(cells(page.table)) == 50
    page = browser.get(page.select(".pager a")[-1]["href"])
    assert len(cells(page.table)) == 12
    assert len(cells(browser.get("/call-centre/missed/?page=99").table)) == 12
    page = browser.get("/call-centre/missed/?period=previous")
    assert "Таких звонивших нет." in page.main.text
    assert "1 пропущенный звонок был без номера" in page.main.text


def test_each_chart_has_its_words_and_its_table(browser, centre):
    page = browser.get("/call-centre/?period=today")
    hours, missed, employees = page.select("figure.chart")
    assert hours.figcaption.text == "Звонки по часам"
    assert "Всего 4. Больше всего с 8:00: 2." in hours.svg.desc.text
    assert [row[0] for row in cells(hours)] == ["8:00–9:00", "12:00–13:00"]
    assert "Всего 2" in missed.svg.desc.text
    assert "Больше всего: 375172000002, Анна, 1 звонок." in employees.svg.desc.text
    assert cells(employees)[0] == ["375172000002, Анна", "1", "0", "0:00:30"]
    ticks = [text.text for text in hours.select_one("svg").select("text.end")]
    assert ticks == ["0", "1", "2"]


def test_numbers_employees_and_hours_are_listed(browser, centre):
    page = browser.get("/call-centre/?period=today")
    line = page.find("caption", string="Номера входа").find_parent("table")
    assert cells(line)[0][1:5] == ["–", "2", "1", "1"]
    people = page.find("caption", string="Сотрудники").find_parent("table")
    assert [row[1] for row in cells(people)] == ["Поддержка", "Продажи"]
    hours = dict(
        zip(
            (dt.text for dt in page.select("dl.sum dt")),
            (dd.text for dd in page.select("dl.sum dd")),
            strict=True,
        )
    )
    assert hours["Понедельник"] == "9:00–18:00"
    assert hours["Воскресенье"] == "выходной"
    assert "Государственные праздники Республики Беларусь – выходные дни." in page.text
    assert "21.04.2026, 01.05.2026." in page.text


def test_the_chosen_subscriber_narrows_the_statistics(browser, client_row, centre):
    user, ip = browser.user, ""
    subscriber_choice.choose(client_row, user, centre[0].id, ip=ip, now=NOW)
    page = browser.get("/call-centre/?period=today")
    assert "Учтен только выбранный SIP-абонент 375172000001" in page.text
    assert cells(page.select_one("table"))[2][1] == "3"  # the line, and Anna of its connection
    assert "375291110003" not in page.main.text
    page = browser.get(page.find("a", string="По всей компании")["href"])
    assert cells(page.select_one("table"))[2][1] == "4"
    assert page.find("a", string="Только выбранный SIP-абонент 375172000001")


def test_strangers_numbers_and_calls_are_not_seen(stranger, centre):
    page = stranger.get(PAGE)
    assert "В этой услуге пока нет ваших номеров." in page.text
    assert not page.select("table, figure")
    assert "375172" not in page.main.text


def test_a_service_without_calls_says_so(browser, client_row):
    row = make_subscriber(client_row)
    call_centre.add(client_row, row, MemberKind.EMPLOYEE, now=NOW)
    page = browser.get(PAGE)
    assert "Звонки еще не загружены" in page.text
    assert "Принятых звонков нет." in page.text
    assert not page.select("svg")


CHANGE = {
    "form_key": "a" * 24,
    "what": "add",
    "numbers": "375172000001",
    "from_day": "2026-03-16",
    "text": "Это номер Анны",
}


def test_a_change_is_asked_for_in_a_thread_of_feedback(browser, client_row, centre):
    page = browser.get(browser.get(PAGE).find("a", string="Попросить об изменении")["href"])
    assert page.h1.text == "Изменение колл-центра"
    for _ in range(2):  # a double click
        browser.post("call_centre.change", CHANGE)
    [thread] = FeedbackThread.of(client_row)
    assert thread.subject == "call_centre"
    text = browser.follow().main.text
    for words in (
        "Что изменить: Подключить номера или сотрудников",
        "Номера: 375172000001",
        "С какого дня: 16.03.2026",
        "Это номер Анны",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("answers", "field", "sentence"),
    [
        ({"what": ""}, "what", "Выберите, что изменить"),
        ({"numbers": ""}, "numbers", "Укажите номера"),
        ({"numbers": "375290000000; 12"}, "numbers", "Не найдены среди номеров вашей компании"),
        ({"from_day": "2026-03-09"}, "from_day", "Этот день уже прошел"),
        ({"what": "hours", "text": " "}, "text", "Напишите, что изменить"),
        ({"text": "я" * 2001}, "text", "2"),
    ],
)
def test_a_bad_request_for_a_change_is_told_why_and_kept(browser, centre, answers, field, sentence):
    page = browser.post("call_centre.change", {**CHANGE, **answers}, status=422)
    assert sentence in page.select_one(f"#{field}-error").text
    assert not FeedbackThread.select().exists()
    if "text" not in answers:
        assert page.select_one("textarea").text.strip() == CHANGE["text"]


def test_viewers_see_the_statistics_and_ask_for_nothing(app, client_row, centre):
    browser = Browser(app, make_user(client_row, role=Role.VIEWER))
    assert not browser.get(PAGE).find("a", string="Попросить об изменении")
    browser.get("call_centre.change", status=403)
