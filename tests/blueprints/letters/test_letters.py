"""Pages that links in letters lead to: looked at by anybody, done by a button, and telling no more
than the letter does.
"""

from datetime import timedelta

import pytest

from models import AuditEvent
from models_billing import DeliverySetting
from services import clock, delivery_letters
from tests.factories import make_client, make_delivery_change


@pytest.fixture
def change(base):
    client = make_client(name="ООО «Ромашка»", invoice_email="old@romashka.by")
    return make_delivery_change(client, asked_at=clock.now())


@pytest.fixture
def tokens(change):
    return {
        "letters.confirm": delivery_letters.confirm_token(change),
        "letters.cancel": delivery_letters.cancel_token(change),
    }


@pytest.mark.parametrize(
    ("endpoint", "button"),
    [("letters.confirm", "Подтвердить адрес"), ("letters.cancel", "Отменить")],
)
def test_a_link_shows_a_button_and_no_address_in_full(anonymous, tokens, change, endpoint, button):
    page = anonymous.get(endpoint, token=tokens[endpoint])
    assert [each.text for each in page.select("main form button")] == [button]
    assert "ООО «Ромашка»" in page.text
    assert "n***@r***.by" in page.text
    assert "romashka.by" not in page.text
    assert DeliverySetting.get_by_id(change.id).state == "asked"


@pytest.mark.parametrize(
    ("endpoint", "state", "event"),
    [
        ("letters.confirm", "confirmed", "delivery_change_confirmed"),
        ("letters.cancel", "cancelled", "delivery_change_cancelled"),
    ],
)
def test_the_button_does_it(anonymous, tokens, change, endpoint, state, event):
    anonymous.post(endpoint, token=tokens[endpoint])
    assert DeliverySetting.get_by_id(change.id).state == state
    assert not anonymous.follow().select("main form")
    (noted,) = AuditEvent.select().where(AuditEvent.event == event)
    assert (noted.user_id, noted.client_id, noted.ip) == (None, change.client_id, "127.0.0.1")


@pytest.mark.parametrize("endpoint", ["letters.confirm", "letters.cancel"])
def test_a_form_of_another_site_does_nothing(anonymous, tokens, change, endpoint):
    anonymous.post(endpoint, {"csrf_token": "x"}, status=422, token=tokens[endpoint])
    anonymous.post(
        endpoint, status=403, token=tokens[endpoint], headers={"Origin": "https://evil.example"}
    )
    assert DeliverySetting.get_by_id(change.id).state == "asked"


@pytest.mark.parametrize("endpoint", ["letters.confirm", "letters.cancel"])
def test_another_token_leads_nowhere(anonymous, tokens, change, endpoint):
    other = next(token for name, token in tokens.items() if name != endpoint)
    for token in ("x", other, tokens[endpoint][:-1], change.key):
        page = anonymous.get(endpoint, status=404, token=token)
        assert "Эта ссылка не действует" in page.text
        anonymous.post(endpoint, status=404, token=token)
    assert DeliverySetting.get_by_id(change.id).state == "asked"


def test_what_is_over_says_so(anonymous, tokens, change):
    now = clock.now()
    past = now - timedelta(hours=1)
    for values, confirm, cancel in (
        ({"confirm_until": past}, "Ссылка действовала до", "не подтвердили вовремя"),
        ({"state": "expired", "closed_at": past}, "Ссылка действовала до", "не состоялось"),
        (
            {"state": "confirmed", "confirmed_at": past, "effective_at": past},
            "Изменение вступило в силу", "отменить его уже нельзя",
        ),
    ):  # fmt: skip
        DeliverySetting.update(values).execute()
        for endpoint, words in (("letters.confirm", confirm), ("letters.cancel", cancel)):
            page = anonymous.get(endpoint, token=tokens[endpoint])
            assert words in page.text
            assert not page.select("main form")
