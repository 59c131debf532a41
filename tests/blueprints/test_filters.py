"""How values and states are written on pages."""

from datetime import UTC, datetime, timedelta

import pytest

from blueprints import filters
from domain.orders import OrderState
from domain.roles import Role
from domain.subscribers import SubscriberStatus
from services import clock

LATE = datetime(2026, 3, 9, 21, 5, tzinfo=UTC)


def test_a_moment_is_shown_in_the_operators_zone(app):
    assert filters.moment(LATE) == "10.03.2026 00:05"
    assert filters.time(LATE) == "00:05"


@pytest.mark.parametrize(
    ("state", "word", "tone"),
    [
        ("accepted", "Принят", ""),
        ("rendering", "Выполняется", ""),
        ("rendered", "Отправляется", ""),
        ("sending", "Отправляется", ""),
        ("sent", "Отправлен", "ok"),
        ("retry_wait", "Задерживается", "warn"),
        ("unconfirmed", "Проверяется", "warn"),
        ("failed", "Не выполнен", "bad"),
        ("cancelled", "Отменен", ""),
    ],
)
def test_a_state_is_a_word_and_a_tone(state, word, tone):
    assert (filters.order_state_text(state), filters.order_state_tone(state)) == (word, tone)


def test_an_accepted_order_whose_time_has_come_stands_in_the_queue(app):
    now = clock.now()
    assert filters.order_state_text("accepted", now - timedelta(seconds=1)) == "В очереди"
    assert filters.order_state_text("accepted", now + timedelta(hours=1)) == "Принят"


def test_every_state_status_and_role_has_its_word():
    assert set(filters.STATE_WORDS) == set(OrderState)
    assert set(filters.SUBSCRIBER_STATUS_WORDS) == set(SubscriberStatus)
    assert set(filters.ROLE_WORDS) == set(Role)


def test_templates_know_every_filter_promised(app):
    promised = "date moment time duration phone size integer masked order_state_text"
    assert set(promised.split()) <= set(app.jinja_env.filters)
