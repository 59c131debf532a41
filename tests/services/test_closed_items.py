"""Items of «Счета» other than invoices: closed only where a setting says so."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from config import Config
from domain.billing.delivery import DeliveryMethod
from domain.errors import ItemClosed
from domain.orders import Direction, FileFormat, OrderKind
from domain.periods import DateRange
from models import Order
from models_billing import DeliverySetting
from services import clock, delivery_changes, drafts, orders
from services.orders import CallDetailRequest, ChargesRequest
from tests.factories import make_subscriber, make_user
from tests.page import Browser
from texts import error_text

SECOND_OF_MAY = datetime(2026, 5, 2, 9, tzinfo=UTC)


@pytest.fixture
def user(base, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: clock.local(SECOND_OF_MAY))
    return make_user()


@pytest.fixture
def all_closed(app, monkeypatch):
    names = [field for field in Config.__dataclass_fields__ if field.startswith("CLOSED_DAYS_")]
    config = replace(app.config["CABINET"], **dict.fromkeys(names, "same"))
    monkeypatch.setitem(app.config, "CABINET", config)
    assert len(names) == 5


def order_charges(user):
    number, now = make_subscriber(user.client), clock.now()
    draft = drafts.start(user.client, user, OrderKind.CHARGES, "form", {}, now=now)
    asked = ChargesRequest(DateRange(date(2026, 5, 1), date(2026, 5, 31)), FileFormat.CSV)
    orders.place(draft, asked, client=user.client, user=user, listed=[number.id], now=now)


def order_details(user):
    number = make_subscriber(user.client)
    now = clock.now()
    draft = drafts.start(user.client, user, OrderKind.CALL_DETAIL, "period", {}, now=now)
    period = DateRange(date(2026, 4, 1), date(2026, 4, 30))
    asked = CallDetailRequest(period, Direction.BOTH, FileFormat.CSV)
    orders.place(draft, asked, client=user.client, user=user, listed=[number.id], now=now)


def change_delivery(user):
    wish = delivery_changes.Wish(DeliveryMethod.EMAIL, "new@example.by")
    delivery_changes.ask(user.client, wish, user=user, now=clock.now())


@pytest.mark.parametrize("work", [order_details, order_charges, change_delivery])
def test_the_other_items_stay_open(user, work):
    work(user)
    assert Order.select().exists() or DeliverySetting.select().exists()


@pytest.mark.parametrize("work", [order_details, order_charges, change_delivery])
def test_each_can_be_closed_and_says_when_it_opens(user, all_closed, work):
    with pytest.raises(ItemClosed) as refusal:
        work(user)
    assert error_text(refusal.value).endswith("Заказ будет доступен с 04.05.2026.")
    assert not Order.select().exists()
    assert not DeliverySetting.select().exists()


def test_the_section_says_which_of_its_items_are_closed(app, user):
    page = Browser(app, user).get("bills.show")
    told = {each.h2.text: each.text for each in page.select(".tasks li")}
    assert [name for name, text in told.items() if "сегодня закрыто" in text] == [
        "Заказать счет на E-mail",
        "Загрузить счет по ссылке",
    ]
    assert "Заказ будет доступен с 04.05.2026." in told["Загрузить счет по ссылке"]
