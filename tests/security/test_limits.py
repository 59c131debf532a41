"""The limit of orders an hour holds when many are placed at once, says when it ends, leaves no row,
and is not forgotten by a restart.
"""

from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from datetime import timedelta

import pytest

from domain.errors import TooManyOpenOrders, TooManyOrdersPerHour
from domain.orders import Direction, FileFormat, OrderKind
from domain.periods import DateRange
from models import AuditEvent, Order, OrderSubscriber, db
from services import clock, drafts, orders, selection
from services.orders import CallDetailRequest
from tests import factories
from tests.apps import another_app
from tests.page import HTMX, Browser

AT_ONCE = 12


@pytest.fixture
def hands(monkeypatch):
    moment = [clock.now()]
    monkeypatch.setattr(clock, "now", lambda: moment[0])

    def move(**by):
        moment[0] += timedelta(**by)

    return move


def answers():
    day = clock.now().date().isoformat()
    return {"start": [day], "end": [day], "direction": ["both"], "file_format": ["csv"]}


def start(user, number):
    """A draft with one number ticked: an order but for the last click."""
    draft = drafts.start(
        user.client, user, OrderKind.CALL_DETAIL, "period", answers(), now=clock.now()
    )
    selection.tick(draft, selection.eligible(user.client, clock.now(), clock.now()), [number.id])
    return draft


def place(app, draft, user):
    """The last click, as a thread of the web server makes it."""
    today = clock.now().date()
    request = CallDetailRequest(DateRange(today, today), Direction.BOTH, FileFormat.CSV)
    with app.app_context(), db.connection_context():
        try:
            return orders.place(draft, request, client=user.client, user=user, now=clock.now()).id
        except (TooManyOrdersPerHour, TooManyOpenOrders) as refused:
            return type(refused)


@pytest.mark.parametrize(
    ("limits", "refusal"),
    [
        ({"ORDERS_PER_HOUR": 5, "OPEN_ORDERS": 0}, TooManyOrdersPerHour),
        ({"ORDERS_PER_HOUR": 0, "OPEN_ORDERS": 5}, TooManyOpenOrders),
    ],
    ids=["an hour", "open"],
)
def test_many_orders_at_once_do_not_pass_a_limit_by_one(tmp_path, limits, refusal):
    with another_app(tmp_path, **limits) as app:
        user = factories.make_user()
        number = factories.make_subscriber(user.client)
        with app.app_context():
            ready = [start(user, number) for _ in range(AT_ONCE)]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            placed = list(pool.map(lambda draft: place(app, draft, user), ready))
        assert placed.count(refusal) == AT_ONCE - 5
        assert Order.select().count() == OrderSubscriber.select().count() == 5
        events = AuditEvent.select().where(AuditEvent.event == "order_placed")
        assert events.count() == 5


def click(browser, draft, number, headers=()):
    data = {
        "csrf_token": browser.token(), "go": "submit", "typed": "", "shown": number.id,
        "tick": number.id,
    }  # fmt: skip
    address = f"/bills/call-detail/{draft.key}/subscribers"
    return Context().run(browser.client.post, address, data=data, headers=dict(headers))


def test_the_limit_outlives_a_restart_and_ends_when_it_says(tmp_path, hands):
    limits = {"ORDERS_PER_HOUR": 2, "OPEN_ORDERS": 0}
    with another_app(tmp_path, **limits) as app:
        url = app.config["CABINET"].DATABASE_URL
        user = factories.make_user()
        number = factories.make_subscriber(user.client)
        browser = Browser(app, user)
        for _ in range(2):
            assert click(browser, start(user, number), number).status_code == 303
            hands(minutes=10)
    with another_app(tmp_path, DATABASE_URL=url, **limits) as app:  # nothing is left but the data
        draft = start(user, number)
        browser = Browser(app, user)
        for headers in ({}, HTMX):
            response = click(browser, draft, number, headers)
            assert response.status_code == 429
            assert response.headers["Retry-After"] == "2400"
            assert "40 мин" in response.text
            assert Order.select().count() == OrderSubscriber.select().count() == 2
        hands(minutes=39)
        assert click(Browser(app, user), draft, number).status_code == 429
        hands(minutes=1)
        assert click(Browser(app, user), draft, number).status_code == 303
        assert Order.select().count() == 3
