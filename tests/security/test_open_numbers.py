"""Who sees chosen numbers of the company meets no other anywhere: over all addresses, in forms, in
files that jobs make, and when numbers are taken away.
"""

from datetime import timedelta

import pytest

from commands.routes import describe
from domain.errors import CompanyWide
from domain.formats import format_phone
from domain.orders import OrderState
from domain.periods import month_start
from domain.roles import CLIENT_ROLES, Role
from jobs import orders as job
from models import (
    Call,
    DraftSubscriber,
    Mail,
    Order,
    OrderDraft,
    OrderSubscriber,
    Subscriber,
    TenantModel,
    seen_through,
)
from models_all import ALL_MODELS
from models_billing import OneOffCharge
from models_subscribers import CentreNumber, ScopeSubscriber, SubscriberChoice, UserScope
from services import (
    charge_keeping,
    charge_making,
    clock,
    ledger,
    orders,
    reports,
    scopes,
    subscriber_choice,
)
from tests import factories
from tests.page import Browser
from tests.security import world
from tests.security.tables import dump, refusals
from texts import gettext

# What is open to them, written down here once more: everything else of a client's is closed.
OPEN = {
    "account.show",
    *(f"bills.call_detail.{view}" for view in ("start", "period", "subscribers", "ticks")),
    *(f"bills.charge_order.{view}" for view in ("start", "form", "subscribers", "ticks")),
    *(f"bills.charges.{view}" for view in ("show", "charts", "calls", "number", "call", "why")),
    "bills.show",
    *(f"call_centre.{view}" for view in ("show", "missed", "change")),
    *(f"feedback.{view}" for view in ("show", "new", "ask", "thread", "answer", "reopen")),
    *(f"feedback.{view}" for view in ("rate", "file")),
    "home.show",
    *(f"orders.{view}" for view in ("index", "show", "status", "file", "cancel", "retry")),
    "orders.repeat",
    *(f"subscribers.{view}" for view in ("show", "choose", "everybody")),
}
COMPANYS = {  # tables in which nothing is a number's: closed, whoever asks
    *("BillingFailure", "CentreDay", "Discount", "InstalmentPlan", "Invoice", "Notice"),
    *("OneOffCharge", "Payment", "ToldPayment", "UsageDay", "Waiver"),
}


@pytest.fixture
def part(app, base):
    """A world, and an accountant of it who sees two numbers of their own and nothing there was."""
    full = world.build(app)
    Subscriber.update(full_name="Скрытый Иван").execute()
    full.hidden = Subscriber.get(Subscriber.client == full.client)
    full.own = [factories.make_subscriber(full.client, full_name=f"Открытый {n}") for n in range(2)]
    full.person = factories.make_user(full.client, role=Role.ACCOUNTANT)
    open_to(full.person, full.own)
    now = clock.now()
    for n, number in enumerate([full.hidden, *full.own]):
        CentreNumber.create(client=full.client, subscriber=number, kind="line", added_at=now)
        for minute in range(n + 3):
            factories.make_call(
                number, now - timedelta(minutes=minute), import_run=full.run,
                peer=f"48500{number.id:05}", price=60_000, billed_s=60, package_s=0, rating=1,
            )  # fmt: skip
    yield full
    world.clear(app)


def open_to(user, numbers):
    """As if an administrator had ticked these and no others."""
    draft = OrderDraft.create(
        client=user.client, user=user, kind=scopes.DRAFT_KIND,
        key=f"scope-{user.id}-{len(numbers)}-{clock.now().timestamp()}", created_at=clock.now(),
    )  # fmt: skip
    scopes.give(
        user, draft, [number.id for number in numbers], by=scopes.By(now=clock.now(), user=user)
    )


def told(response):
    """Everything an answer says."""
    return response.get_data(as_text=True) + (response.location or "")


def secrets_of(full):
    """What only those may read who see the whole company."""
    number = full.hidden.number
    return ("Скрытый", number, number[5:], f"48500{full.hidden.id:05}", full.client.invoice_email)


def closed_rows(app):
    """Routes of clients alone; `auth` is for whoever has signed in."""
    return [row for row in describe(app) if row["roles"] and set(row["roles"]) <= CLIENT_ROLES]


def test_what_is_open_is_what_is_written_here(app):
    marked = {
        row["endpoint"]
        for row in closed_rows(app)
        if getattr(app.view_functions[row["endpoint"]], "is_by_number", False)
    }
    assert marked == OPEN, "another page for who sees chosen numbers: say so here"


def test_each_table_of_a_clients_has_a_rule(base):
    own = {model for model in ALL_MODELS if issubclass(model, TenantModel)}
    unruled = own - set(scopes.RULES) - scopes.FACTS
    assert {model.__name__ for model in unruled} == COMPANYS
    user = factories.make_user(role=Role.VIEWER)
    open_to(user, [factories.make_subscriber(user.client)])
    with seen_through(scopes.of_user(user)):
        for model in unruled:
            with pytest.raises(CompanyWide):
                model.of(user.client)


def test_no_address_shows_another_number(app, part):
    browser = Browser(app, part.person)
    for row in closed_rows(app):
        for method in row["methods"]:
            known = len(refusals())
            data = {"csrf_token": browser.token()} if method == "POST" else None
            response = browser.client.open(
                part.address(row["rule"]), method=method, data=data, buffered=True
            )
            where = (method, row["endpoint"], response.status)
            leaks = [text for text in secrets_of(part) if text in told(response)]
            assert not leaks, where
            if row["endpoint"] not in OPEN:
                assert response.status_code == 403, where
                assert Role.ACCOUNTANT not in row["roles"] or "Ваш доступ: 2 абонента" in told(
                    response
                )
            elif "<" in row["rule"]:
                assert response.status_code == 404, where
                assert len(refusals()) > known, where
            else:
                assert response.status_code < 500, where
                assert response.status_code != 403, where


def test_a_number_beyond_is_answered_like_one_that_does_not_exist(app, part):
    browser, own = Browser(app, part.person), part.own[0]
    stranger = factories.make_subscriber()
    for number in (part.hidden, stranger):
        browser.get("bills.charges.number", subscriber=number.id, status=404)
        browser.get("feedback.new", about=f"number:{number.id}", status=404)
        browser.post("subscribers.choose", {"subscriber": number.id})
        assert "Такого абонента нет" in browser.follow().text
    browser.get("bills.charges.number", subscriber=own.id)
    verdicts = []
    for number in (part.hidden, stranger):
        browser.post("bills.call_detail.start", period())
        page = browser.post(
            browser.response.location,
            {"typed": number.number, "shown": number.id, "tick": number.id, "go": "submit"},
            status=422,
        )
        verdicts.append(page.select_one("#typed-report").text.replace(number.number, "…"))
    assert verdicts[0] == verdicts[1]
    assert not DraftSubscriber.select().where(DraftSubscriber.subscriber == part.hidden).exists()
    assert not OrderSubscriber.select().join(Order).where(Order.user == part.person).exists()


def period():
    day = clock.now().date().isoformat()
    return {"start": day, "end": day, "direction": "both", "file_format": "csv"}


def order_of(part, numbers, **values):
    return factories.make_order(part.client, numbers, user=part.person, **values)


def test_select_all_is_all_of_ones_own(app, part):
    browser = Browser(app, part.person)
    browser.post("bills.call_detail.start", period())
    step = browser.response.location
    browser.post(step, {"go": "match_all"})
    browser.post(step, {"go": "submit"})
    order = Order.get(Order.user == part.person)
    chosen = OrderSubscriber.select().where(OrderSubscriber.order == order)
    assert {row.subscriber_id for row in chosen} == {number.id for number in part.own}
    assert order.number == max(row.number for row in Order.select()), "numbers run on"


def test_figures_are_those_of_ones_own_numbers(app, part):
    browser = Browser(app, part.person)
    calls = Call.select().where(Call.subscriber_id.in_([number.id for number in part.own]))
    page = browser.get("bills.charges.show")
    sheet = charge_making.make(part.client, clock.local(clock.now()))
    places = [list(sheet.ids).index(number.id) for number in part.own]
    total = sum(sheet.columns["total"][n] for n in places)
    money = f"{total // 100},{total % 100:02}"
    assert money in page.select_one("dl.sum").text.replace("\xa0", " ")
    assert "Итого по доступным вам номерам" in page.text
    assert "Из чего складывается" not in page.text
    charts = browser.get("bills.charges.charts")
    assert "по дням" not in charts.text.lower()
    home = browser.get("home.show")
    assert "Последние счета" not in home.text
    counted = sum(1 for call in calls if call.direction == 0)
    assert str(counted) in home.select_one("main, #main").text
    centre = browser.get("call_centre.show")
    assert part.own[0].number in centre.text


def test_calls_behind_the_figures_are_those_of_ones_own_numbers(app, part):
    def listed(user):
        first = month_start(clock.local(clock.now()).date())
        months = [f"{month:%Y-%m}" for month in (first, month_start(first, 1))]
        pages = [
            Browser(app, user).get("bills.charges.calls", month=month, whose="company")
            for month in months
        ]
        return " ".join(page.select_one("main, #main").text for page in pages)

    hidden, *own = (format_phone(number.number) for number in (part.hidden, *part.own))
    seen = listed(part.person)
    assert hidden not in seen
    assert all(number in seen for number in own)
    assert hidden in listed(part.user)


def test_the_whole_company_sees_what_it_saw_and_nothing_kept_is_spoilt(app, part):
    """What is kept is kept for the company, whoever asks first."""
    before = dump((UserScope, ScopeSubscriber))
    Browser(app, part.person).get("call_centre.show")
    whole = Browser(app, part.user)
    assert part.hidden.number in whole.get("call_centre.show").text
    assert part.hidden.number in whole.get("bills.charges.show").text
    assert "Последние счета" in whole.get("home.show").text
    assert dump((UserScope, ScopeSubscriber)) == before


def test_numbers_taken_away_take_orders_ticks_and_the_choice_with_them(app, part):
    browser, (kept, taken) = Browser(app, part.person), part.own
    both, one = order_of(part, [kept, taken]), order_of(part, [kept])
    world.add_file(app, both, "Детализация.xlsx")
    closed = {"state": OrderState.SENT, "closed_at": clock.now(), "rows": 1}
    Order.update(closed).where(Order.id == both.id).execute()
    browser.post("bills.call_detail.start", period())
    browser.post(browser.response.location, {"go": "match_all"})
    subscriber_choice.choose(part.client, part.person, taken.id, ip="", now=clock.now())
    browser.get("orders.file", key=both.key)
    open_to(part.person, [kept])
    browser.get("orders.show", key=both.key, status=404)
    browser.get("orders.file", key=both.key, status=404)
    browser.get("orders.show", key=one.key)
    assert not SubscriberChoice.select().where(SubscriberChoice.user == part.person).exists()
    ticked = DraftSubscriber.select().join(OrderDraft).where(OrderDraft.user == part.person)
    ordered = [row.subscriber_id for row in ticked if row.draft.kind == "call_detail"]
    assert ordered == [kept.id]
    open_to(part.person, [kept, taken])
    browser.get("orders.show", key=both.key)


def test_an_order_is_not_carried_out_when_its_numbers_were_taken_away(app, part):
    open_to(part.person, part.own[:1])
    Order.update(state=OrderState.FAILED).execute()
    now = clock.now()
    due = {"user": part.person, "due_at": now, "next_try_at": now}
    for row in (
        factories.make_order(part.client, part.own, **due),
        factories.make_order(part.client, kind="statement", params={}, **due),
    ):
        job.carry(row.id)
        after = Order.get_by_id(row.id)
        assert (after.state, after.reason) == (OrderState.FAILED, "out_of_scope")
        assert not (app.config["CABINET"].artefact_dir / row.key).exists()


def test_numbers_left_out_of_an_order_of_before_are_not_named(app, part):
    open_to(part.person, part.own)
    order = order_of(part, part.own[:1])
    params = {**order.params, "excluded": [part.hidden.number]}
    before = scopes.of_user(part.person).narrowed_at - timedelta(hours=1)
    Order.update(params=params, created_at=before).where(Order.id == order.id).execute()
    page = Browser(app, part.person).get("orders.show", key=order.key)
    assert part.hidden.number[5:] not in page.text
    order = Order.get_by_id(order.id)
    assert scopes.excluded_of(order) == []
    scopes.lift(part.person, by=scopes.By(now=clock.now()))
    assert scopes.excluded_of(Order.get_by_id(order.id)) == [part.hidden.number]


def test_what_was_ordered_while_the_administrator_waited_is_looked_through(part):
    """The click was before the order, the lock was got behind it."""
    clicked = clock.now() - timedelta(minutes=1)
    draft = OrderDraft.create(
        client=part.client, user=part.person, kind=scopes.DRAFT_KIND, key="w", created_at=clicked
    )
    order = order_of(part, part.own)
    scopes.give(part.person, draft, [part.own[0].id], by=scopes.By(now=clicked))
    with seen_through(scopes.of_user(part.person)):
        assert not Order.of(part.client).where(Order.id == order.id).exists()


def test_a_letter_that_may_have_gone_is_not_stopped_by_numbers_taken_away(app, part):
    order = order_of(part, part.own)
    Mail.create(
        order=order, message_id="<a@x>", recipient="a@b.by", path="x", size=1, sha256="x",
        state="sending", created_at=clock.now(),
    )  # fmt: skip
    assert ledger.may_have_gone(order)
    assert not ledger.may_have_gone(order_of(part, part.own))


def test_numbers_taken_away_while_an_order_is_placed_are_not_in_it(part):
    """The page began before the numbers were taken away."""
    step = orders.CallDetailRequest(
        reports.DateRange(clock.now().date(), clock.now().date()), orders.Direction.OUT,
        orders.FileFormat.CSV,
    )  # fmt: skip
    draft = OrderDraft.create(
        client=part.client, user=part.person, kind="call_detail", key="late", created_at=clock.now()
    )
    with pytest.raises(scopes.OutOfScope):
        orders.place(
            draft, step, client=part.client, user=part.person, listed=[part.hidden.id],
            now=clock.local(clock.now()),
        )  # fmt: skip
    assert not Order.select().where(Order.draft_key == "late").exists()


def test_a_file_of_charges_says_nothing_of_the_company(app, part):
    """All numbers of the month are one's own: still what is the company's is not in it."""
    open_to(part.person, [part.hidden, *part.own])
    today = clock.now().date()
    OneOffCharge.create(
        client=part.client, day=today, name="Выезд", amount=100, created_at=clock.now()
    )
    month = today.replace(day=1).isoformat()
    file = {}
    for user in (part.user, part.person):
        order = factories.make_order(
            part.client, [part.hidden, *part.own], user=user, kind="charges",
            params={"month": month, "format": "csv"},
        )  # fmt: skip
        made = reports.render(order, made_at=clock.now(), progress=lambda _done, _total: None)
        path = app.config["CABINET"].artefact_dir / made.path
        file[user.id] = path.read_text("utf-8-sig")
    rest = gettext("Of the company, not of a number")
    assert rest in file[part.user.id]
    assert rest not in file[part.person.id]


def test_an_administrator_sees_all(part):
    part.person.role = Role.CLIENT_ADMINISTRATOR
    assert scopes.of_user(part.person) is None
    with pytest.raises(scopes.AdministratorSeesAll):
        open_to(part.user, part.own)


def test_a_kept_sheet_of_charges_follows_the_numbers_at_once(app, part, monkeypatch):
    monkeypatch.setattr(charge_keeping, "KEPT_FROM", 1)
    monkeypatch.setattr(charge_keeping, "_kept", charge_keeping._Kept())
    browser, (first, second) = Browser(app, part.person), part.own
    for seen in ([first], [second], [first, second]):
        open_to(part.person, seen)
        for _again in range(2):
            text = browser.get("bills.charges.show").text
            assert [number.number in text for number in (first, second)] == [
                number in seen for number in (first, second)
            ]
            assert part.hidden.number not in text
    assert part.hidden.number in Browser(app, part.user).get("bills.charges.show").text
