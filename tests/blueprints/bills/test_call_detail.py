"""«Детализация на E-mail» by its words, without JavaScript: period, subscribers, order."""

from dataclasses import replace
from datetime import timedelta

import pytest

from models import AuditEvent, DraftSubscriber, Order, OrderDraft, OrderSubscriber, Subscriber
from services import clock, orders, reports
from tests import factories
from tests.factories import NOON, make_subscriber, make_user
from tests.page import Browser

ITEM = "bills.call_detail"
PERIOD = {"start": "2026-03-01", "end": "2026-03-09", "direction": "out", "file_format": "xlsx"}


@pytest.fixture(autouse=True)
def stopped_clock(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOON)


@pytest.fixture
def mine(client_row):
    """The client's numbers: a connection and its three numbers."""
    trunk = make_subscriber(client_row, full_name="SIP соединение", plan="SIP-соединение")
    return [trunk, *(make_subscriber(client_row, connection=trunk) for _ in range(3))]


@pytest.fixture
def draft(browser, mine):
    """A draft whose first step is answered."""
    browser.post(f"{ITEM}.start", PERIOD)
    return OrderDraft.get()


def step_2(draft, **form):
    return {"go": "submit", "typed": "", **form}


def test_the_first_step_stores_nothing(browser, mine):
    browser.get(f"{ITEM}.start")
    assert OrderDraft.select().count() == 0


@pytest.mark.parametrize("htmx", [False, True])
def test_the_current_month_is_filled_in(browser, mine, htmx):
    page = browser.get(f"{ITEM}.start", htmx=htmx)
    assert page.select_one("input[name=start]")["value"] == "2026-03-01"
    assert page.select_one("input[name=end]")["value"] == "2026-03-10"


def test_a_link_fills_in_the_previous_month(browser, mine):
    page = browser.get(f"{ITEM}.start")
    link = page.find("a", string="Прошлый месяц")["href"]
    page = browser.get(link)
    assert page.select_one("input[name=start]")["value"] == "2026-02-01"
    assert page.select_one("input[name=end]")["value"] == "2026-02-28"


def test_the_words_of_the_first_step_are_the_source_documents(browser, mine):
    page = browser.get(f"{ITEM}.start")
    assert page.select_one("legend").text == (
        "Укажите начальную и конечную дату периода, за который хотите получить детализации звонков:"
    )
    labels = {label.text for label in page.select("label")}
    assert {"С", "По", "Исходящие", "Входящие", "Исходящие+Входящие", "XLSX"} <= labels
    assert page.find("legend", string="Тип детализации")
    assert page.find("a", string="В меню")["href"] == "/"
    assert page.find("button", string="Далее")


@pytest.mark.parametrize(
    ("answers", "field", "sentence"),
    [
        ({"start": ""}, "start", "Укажите начальную дату"),
        ({"end": ""}, "end", "Укажите конечную дату"),
        ({"end": "завтра"}, "end", "Укажите дату в виде ДД.ММ.ГГГГ"),
        ({"start": "2026-03-09", "end": "2026-03-01"}, "end", "Дата „По“ раньше даты „С“"),
        ({"start": "2026-01-31"}, "start", "Детализация доступна с 01.02.2026 по 10.03.2026"),
        ({"end": "2026-03-11"}, "end", "Детализация доступна с 01.02.2026 по 10.03.2026"),
        ({"direction": "sideways"}, "direction", ""),
        ({"file_format": "docx"}, "file_format", ""),
    ],
)
def test_a_wrong_answer_is_named_at_its_field(browser, mine, answers, field, sentence):
    page = browser.post(f"{ITEM}.start", {**PERIOD, **answers}, status=422)
    assert page.title.text.startswith("Ошибка:")
    error = page.select_one(f"#{field}-error")
    assert sentence in error.text
    assert OrderDraft.select().count() == 0


def test_dates_typed_as_people_write_them_are_understood(browser, mine):
    browser.post(f"{ITEM}.start", {**PERIOD, "start": "01.03.2026", "end": " 09.03.2026"})
    page = browser.follow()
    assert "01.03.2026 – 09.03.2026" in page.text


def test_going_back_shows_the_answers_given(browser, draft):
    page = browser.get(f"{ITEM}.period", key=draft.key)
    assert page.select_one("input[name=end]")["value"] == "2026-03-09"
    assert page.select_one("input[name=direction][checked]")["value"] == "out"


def test_a_changed_period_is_kept(browser, draft):
    browser.post(f"{ITEM}.period", {**PERIOD, "direction": "in"}, key=draft.key)
    assert "Входящие" in browser.follow().select_one("dl.sum").text


def test_the_second_step_lists_the_numbers_with_nothing_ticked(browser, draft, mine):
    page = browser.get(f"{ITEM}.subscribers", key=draft.key)
    heads = [head.text for head in page.select("table.picker th")]
    assert heads == ["Отметить все", "Номер телефона", "Ф.И.О.", "Статус", "Причина статуса"]
    rows = page.select("table.picker tbody tr")
    assert [row.label.text for row in rows] == sorted(each.number for each in mine)
    assert not page.select("input[name=tick][checked]")
    assert "Страница 1 из 1" in page.text
    assert page.find("label", string="Строк на странице")
    assert page.find("label", string="Ввести свой список абонентов")
    assert "Номера должны принадлежать Вашей компании." in page.text


def test_ticked_numbers_become_an_order(browser, draft, mine):
    chosen = [mine[0].id, mine[2].id]
    form = step_2(draft, shown=[each.id for each in mine], tick=chosen)
    browser.post(f"{ITEM}.subscribers", form, key=draft.key)
    (order,) = Order.select()
    assert {row.subscriber_id for row in OrderSubscriber.select()} == set(chosen)
    assert order.params == {
        "start": "2026-03-01",
        "end": "2026-03-09",
        "direction": "out",
        "format": "xlsx",
    }
    assert browser.response.location.endswith(f"/orders/{order.key}")
    assert AuditEvent.get(AuditEvent.event == "order_placed").subject == f"order:{order.id}"


def test_the_order_page_names_the_masked_address(browser, draft, mine, client_row):
    browser.post(
        f"{ITEM}.subscribers", step_2(draft, shown=[mine[0].id], tick=[mine[0].id]), key=draft.key
    )
    page = browser.follow()
    assert "Заказанная детализация будет выслана на адрес d***@e***.by" in page.text
    assert client_row.detail_email not in page.text
    assert page.find("a", string="Назад")["href"] == "/bills/call-detail/"


def test_a_second_click_does_not_order_twice(browser, draft, mine):
    form = step_2(draft, shown=[mine[0].id], tick=[mine[0].id])
    browser.post(f"{ITEM}.subscribers", form, key=draft.key)
    first = browser.response.location
    browser.post(f"{ITEM}.subscribers", form, key=draft.key)
    assert browser.response.location == first
    assert Order.select().count() == 1


NOT_IN_IT = "уже принят, и то, что изменено после этого, в него не вошло"


@pytest.mark.parametrize("view", ["subscribers", "period"])
def test_the_same_form_sent_again_after_going_back_says_nothing_new(browser, draft, mine, view):
    shown = [each.id for each in mine]
    form = step_2(draft, shown=shown, tick=shown[:1], typed=mine[1].number)
    browser.post(f"{ITEM}.subscribers", form, key=draft.key)
    assert NOT_IN_IT not in browser.follow().text
    again = form if view == "subscribers" else PERIOD | {"end": "2026-03-09", "direction": "out"}
    browser.post(f"{ITEM}.{view}", again, key=draft.key)
    assert NOT_IN_IT not in browser.follow().text
    assert Order.select().count() == 1


@pytest.mark.parametrize(
    ("view", "changed"),
    [
        ("subscribers", lambda mine: {"tick": [mine[0].id, mine[2].id]}),
        ("subscribers", lambda _: {"tick": []}),
        ("subscribers", lambda mine: {"typed": mine[2].number}),
        ("subscribers", lambda _: {"typed": ""}),
        ("period", lambda _: {**PERIOD, "direction": "in"}),
    ],
)
def test_what_is_changed_after_going_back_is_not_in_the_order_and_the_page_says_so(
    browser, draft, mine, view, changed
):
    shown = [each.id for each in mine]
    form = step_2(draft, shown=shown, tick=shown[:1], typed=mine[1].number)
    browser.post(f"{ITEM}.subscribers", form, key=draft.key)
    address, before = browser.response.location, Order.get().params
    data = changed(mine) if view == "period" else {**form, **changed(mine)}
    browser.post(f"{ITEM}.{view}", data, key=draft.key)
    assert browser.response.location == address
    assert NOT_IN_IT in browser.follow().text
    assert Order.get().params == before
    assert {row.subscriber_id for row in OrderSubscriber.select()} == {mine[0].id, mine[1].id}


@pytest.mark.parametrize(("button", "winner"), [("search", 0), ("submit", 1)])
def test_of_two_tabs_at_once_one_is_the_order_whole_and_the_other_is_told(
    app, browser, draft, mine, monkeypatch, button, winner
):
    """The other one comes between the ticks of the first and its order."""
    shown = [each.id for each in mine]
    place, other = orders.place, Browser(app, browser.user)

    def overtaken(*args, **kwargs):
        monkeypatch.setattr(orders, "place", place)
        form = step_2(draft, shown=shown, tick=shown[1:2], go=button)
        other.post(f"{ITEM}.subscribers", form, key=draft.key)
        return place(*args, **kwargs)

    monkeypatch.setattr(orders, "place", overtaken)
    browser.post(f"{ITEM}.subscribers", step_2(draft, shown=shown, tick=shown[:1]), key=draft.key)
    assert browser.response.location.endswith(f"/orders/{Order.get().key}")
    assert [row.subscriber_id for row in OrderSubscriber.select()] == [mine[winner].id]
    assert (NOT_IN_IT in browser.follow().text) == (winner == 1)


def test_going_back_to_a_finished_wizard_leads_to_its_order(browser, draft, mine):
    browser.post(
        f"{ITEM}.subscribers", step_2(draft, shown=[mine[0].id], tick=[mine[0].id]), key=draft.key
    )
    order = Order.get()
    for view in ("period", "subscribers"):
        browser.get(f"{ITEM}.{view}", key=draft.key, status=303)
        assert browser.response.location.endswith(f"/orders/{order.key}")


def test_nothing_chosen_is_refused(browser, draft, mine):
    page = browser.post(f"{ITEM}.subscribers", step_2(draft), key=draft.key, status=422)
    assert "Отметьте хотя бы одного абонента" in page.select_one("main [role=alert]").text
    assert Order.select().count() == 0


def test_a_strangers_tick_is_nobodys(browser, draft, mine):
    foreign = make_subscriber()
    form = step_2(draft, shown=[foreign.id], tick=[foreign.id])
    browser.post(f"{ITEM}.subscribers", form, key=draft.key, status=422)
    assert DraftSubscriber.select().count() == 0


def test_the_order_is_the_ticks_and_the_list(browser, draft, mine):
    form = step_2(draft, shown=[mine[0].id], tick=[mine[0].id], typed=f"{mine[1].number};")
    browser.post(f"{ITEM}.subscribers", form, key=draft.key)
    assert {row.subscriber_id for row in OrderSubscriber.select()} == {mine[0].id, mine[1].id}


def test_each_bad_entry_of_the_list_is_named(browser, draft, mine):
    foreign = make_subscriber().number
    typed = f"{mine[1].number};37529123456;{foreign};{mine[1].number};375299999999"
    page = browser.post(
        f"{ITEM}.subscribers", step_2(draft, typed=typed), key=draft.key, status=422
    )
    report = page.select_one("#typed-report")
    assert [cell.text for cell in report.select("td code")] == [
        "37529123456",
        foreign,
        "375299999999",
    ]
    reasons = [row.select("td")[2].text.strip() for row in report.select("tbody tr")]
    assert reasons[0] == "Неверный формат: 11 цифр, нужно 12"
    assert reasons[1] == reasons[2] == "Не найден среди номеров вашей компании"
    assert "Принято: 1" in report.text
    assert "Повторы: 1" in report.text
    assert page.select_one("textarea").text.strip() == typed
    assert Order.select().count() == 0


def test_an_odd_number_of_ones_own_can_be_ordered(browser, draft, client_row):
    odd = make_subscriber(client_row, number="37529123456")
    form = step_2(draft, typed="37529123456; 37529123456")
    browser.post(f"{ITEM}.subscribers", form, key=draft.key)
    assert [row.subscriber_id for row in OrderSubscriber.select()] == [odd.id]


def test_going_on_without_the_bad_entries_is_an_explicit_choice(browser, draft, mine):
    form = step_2(draft, typed=f"{mine[1].number};37529123456", shown=[mine[0].id])
    page = browser.post(
        f"{ITEM}.subscribers", {**form, "tick": [mine[0].id]}, key=draft.key, status=422
    )
    button = page.find("button", string="Продолжить с 2 номерами")
    form = {**form, "tick": [mine[0].id], "go": button["value"]}
    browser.post(f"{ITEM}.subscribers", form, key=draft.key)
    assert {row.subscriber_id for row in OrderSubscriber.select()} == {mine[0].id, mine[1].id}


def test_a_good_list_is_checked_without_ordering(browser, draft, mine):
    form = {"go": "check", "typed": f"{mine[0].number}\n{mine[1].number}"}
    browser.post(f"{ITEM}.subscribers", form, key=draft.key)
    page = browser.follow()
    assert "Принято: 2" in page.select_one("#typed-report").text
    assert Order.select().count() == 0


@pytest.mark.parametrize("button", [None, "", "p²", "p" + "9" * 30, "no such button"])
def test_a_button_that_there_is_not_shows_the_list_again(browser, draft, mine, button):
    form = step_2(draft, typed="375291112233", go=button)
    browser.post(
        f"{ITEM}.subscribers", {k: v for k, v in form.items() if v is not None}, key=draft.key
    )
    assert browser.follow().select_one("#picker textarea").text.strip() == "375291112233"


def test_the_typed_list_survives_a_way_back(browser, draft, mine):
    browser.post(f"{ITEM}.subscribers", {"go": "period", "typed": "375 29"}, key=draft.key)
    assert browser.response.location.endswith("/period")
    page = browser.get(f"{ITEM}.subscribers", key=draft.key)
    assert page.select_one("textarea").text.strip() == "375 29"


def test_a_number_given_away_meanwhile_is_left_out_and_named(browser, draft, mine):
    form = step_2(draft, shown=[mine[0].id, mine[1].id], tick=[mine[0].id, mine[1].id], go="search")
    browser.post(f"{ITEM}.subscribers", form, key=draft.key)
    Subscriber.update(valid_to=NOON - timedelta(days=60)).where(
        Subscriber.id == mine[1].id
    ).execute()
    browser.post(f"{ITEM}.subscribers", step_2(draft), key=draft.key)
    (row,) = OrderSubscriber.select()
    assert row.subscriber_id == mine[0].id
    assert mine[1].number in browser.follow().text


def test_a_draft_lives_for_a_day(browser, draft, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(days=1))
    # The session of the test is as old: a new one of the same client.
    late = Browser(browser.app, browser.user)
    response = late.get(f"{ITEM}.subscribers", key=draft.key, status=410)
    assert "Черновик удален" in response.text


def test_another_user_of_the_client_may_go_on(app, draft, client_row):
    colleague = Browser(app, make_user(client_row))
    colleague.get(f"{ITEM}.subscribers", key=draft.key)


def test_a_strangers_draft_is_not_found(stranger, draft):
    for view in ("period", "subscribers"):
        stranger.get(f"{ITEM}.{view}", key=draft.key, status=404)


def test_a_stale_form_keeps_what_was_typed(browser, draft, mine):
    form = {**step_2(draft, typed="375291112233"), "csrf_token": "old"}
    page = browser.post(f"{ITEM}.subscribers", form, key=draft.key, status=422)
    assert "Форма устарела" in page.text
    assert page.select_one("textarea").text.strip() == "375291112233"


def test_all_forms_of_the_file_are_offered(browser, mine):
    page = browser.get(f"{ITEM}.start")
    shown = [radio["value"] for radio in page.select("input[name=file_format]")]
    assert shown == ["xlsx", "csv", "pdf"]
    assert page.select_one("input[name=file_format][checked]")["value"] == "xlsx"


@pytest.mark.parametrize("htmx", [False, True])
def test_a_pdf_of_too_many_calls_is_refused_on_the_page(
    browser, mine, client_row, app, monkeypatch, htmx
):
    monkeypatch.setitem(app.config, "CABINET", replace(app.config["CABINET"], PDF_ROWS=1234))
    monkeypatch.setattr(reports, "count_calls", lambda *_: 56_789)
    factories.make_order(client_row, user=browser.user)  # unfinished, but nothing to do with it
    browser.post(f"{ITEM}.start", {**PERIOD, "file_format": "pdf"})
    draft = OrderDraft.get()
    form = step_2(draft, shown=[mine[0].id], tick=[mine[0].id])
    page = browser.post(f"{ITEM}.subscribers", form, key=draft.key, status=422, htmx=htmx)
    sentence = (
        "В PDF помещается не больше 1\u00a0234 звонков, а в вашем заказе их 56\u00a0789. "
        "Выберите XLSX или CSV."
    )
    assert sentence in page.text
    assert "Невыполненные заказы" not in page.text
    assert page.select_one("input[name=tick][checked]")["value"] == str(mine[0].id)
    assert Order.select().count() == 1
    browser.post(f"{ITEM}.period", {**PERIOD, "file_format": "csv"}, key=draft.key)
    browser.post(f"{ITEM}.subscribers", form, key=draft.key)
    assert Order.select().count() == 2


@pytest.mark.parametrize(("limit", "status"), [("OPEN_ORDERS", 422), ("ORDERS_PER_HOUR", 429)])
def test_too_many_orders_are_refused(browser, draft, mine, client_row, app, limit, status):
    for _ in range(getattr(app.config["CABINET"], limit)):
        made = {"created_at": NOON - timedelta(hours=2)} if limit == "OPEN_ORDERS" else {}
        factories.make_order(client_row, user=browser.user, **made)
    form = step_2(draft, shown=[mine[0].id], tick=[mine[0].id])
    before = Order.select().count()
    browser.post(f"{ITEM}.subscribers", form, key=draft.key, status=status)
    assert Order.select().count() == before
    assert ("Retry-After" in browser.response.headers) is (status == 429)


# --- Many numbers ---------------------------------------------------------------------------------


@pytest.fixture
def many(client_row):
    """Sixty numbers, some with names to search for."""
    names = {3: "Иванов Пётр", 4: "ИВАНОВА Анна", 5: "Сидоров Иван"}
    return [
        make_subscriber(
            client_row,
            number=f"3752911100{n:02}",
            full_name=names.get(n, f"Номер {n}"),
            status="blocked" if n == 7 else "active",
        )
        for n in range(60)
    ]


@pytest.fixture
def many_draft(browser, many):
    browser.post(f"{ITEM}.start", PERIOD)
    return OrderDraft.get()


def shown(page):
    return [field["value"] for field in page.select("input[name=shown]")]


def counter(page):
    return page.select_one("#selbar").text


def test_a_client_with_many_numbers_gets_pages(browser, many_draft):
    page = browser.get(f"{ITEM}.subscribers", key=many_draft.key)
    assert len(shown(page)) == 20
    assert "Страница 1 из 3" in page.text
    page = browser.get(f"{ITEM}.subscribers", key=many_draft.key, page=99)
    assert "Страница 3 из 3" in page.text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("иванов", 2),
        ("ИВАНОВ", 2),
        ("петр", 1),
        ("пётр", 1),
        ("29 111 00 05", 1),
        ("+375 (29) 111-00-05", 1),
        ("80291110005", 1),
        ("%", 0),
        ("нет такого", 0),
    ],
)
def test_search_finds_numbers_and_names(browser, many_draft, text, found):
    page = browser.get(f"{ITEM}.subscribers", key=many_draft.key, q=text)
    assert len(shown(page)) == found


def test_ticks_survive_paging_and_searching(browser, many_draft, many):
    address = {"key": many_draft.key}
    page = browser.get(f"{ITEM}.subscribers", **address)
    ids = shown(page)
    browser.post(f"{ITEM}.subscribers", {"shown": ids, "tick": ids[:2], "go": "p2"}, **address)
    page = browser.follow()
    assert counter(page) == "Выбрано: 2 из 60"
    ids = shown(page)
    form = {"shown": ids, "tick": ids[:1], "go": "search", "q": "иванов"}
    browser.post(f"{ITEM}.subscribers", form, **address)
    page = browser.follow()
    assert counter(page) == "Выбрано: 3 из 60"
    assert page.select_one("input[name=q]")["value"] == "иванов"


@pytest.mark.parametrize(
    ("go", "form", "selected"),
    [
        ("page_all", {}, 20),
        ("match_all", {}, 60),
        ("match_all", {"q": "иванов"}, 2),
        ("match_all", {"status": "blocked"}, 1),
        ("match_all", {"sip": "1"}, 0),
        ("clear", {}, 0),
    ],
)
def test_commands_for_many(browser, many_draft, go, form, selected):
    page = browser.get(f"{ITEM}.subscribers", key=many_draft.key)
    ids = shown(page)
    form = {"shown": ids, "go": go, **form}
    browser.post(f"{ITEM}.subscribers", form, key=many_draft.key)
    assert counter(browser.follow()) == f"Выбрано: {selected} из 60"


def test_only_the_selected_are_shown_on_demand(browser, many_draft):
    ids = shown(browser.get(f"{ITEM}.subscribers", key=many_draft.key))
    form = {"shown": ids, "tick": ids[:3], "go": "selected"}
    browser.post(f"{ITEM}.subscribers", form, key=many_draft.key)
    assert shown(browser.follow()) == ids[:3]


def test_rows_per_page_are_remembered(browser, many_draft):
    browser.post(f"{ITEM}.subscribers", {"go": "size", "per_page": "50"}, key=many_draft.key)
    assert len(shown(browser.follow())) == 50
    assert len(shown(browser.get(f"{ITEM}.subscribers", key=many_draft.key))) == 50


def test_a_tick_is_kept_at_once_where_there_is_javascript(browser, many_draft):
    ids = shown(browser.get(f"{ITEM}.subscribers", key=many_draft.key))
    form = {"shown": ids, "tick": ids[4:6]}
    page = browser.post(f"{ITEM}.ticks", form, key=many_draft.key, htmx=True, status=200)
    assert counter(page) == "Выбрано: 2 из 60"


def test_the_first_button_is_the_search(browser, many_draft):
    page = browser.get(f"{ITEM}.subscribers", key=many_draft.key)
    assert page.select_one("#picker button")["value"] == "search"
