"""Questions whose SQL is made once say what the plain query says."""

import importlib
import pkgutil
from datetime import timedelta

import pytest

import services
from domain.billing.delivery import ChangeState, DeliveryPurpose
from domain.feedback import Side
from models import DraftSubscriber, OrderDraft, Subscriber, UnscopedQuery, UserSession, seen_through
from models_subscribers import ScopeSubscriber, SubscriberChoice, UserScope
from services import questions, scopes, selection, sessions, subscriber_choice
from services.questions import made_once
from services.selection import Eligible
from tests import factories
from tests.factories import NOON

DAY = timedelta(days=1)
for module in pkgutil.iter_modules(services.__path__):  # so that all questions are known
    importlib.import_module(f"services.{module.name}")


class Asked:
    """Rows of two clients, and of what each question is asked."""

    def __init__(self):
        self._company()  # of others
        self.client = self._company()
        self.values = {
            "_living": (self.session.token_hash, NOON, NOON - DAY),
            "_chosen": (self.client, self.user),
            "_unread": (self.client, self.user, NOON - DAY),
            "_unread_count": (self.client, self.user, NOON - DAY),
            "_find": (self.draft.key, self.client, self.draft.kind),
            "_find_order": (self.client, self.order.draft_key),
            "_count_of": (self.draft,),
            "_counts": (self.client.id, NOON, NOON),
            "_rows_of_client": (self.client, 2, 1),
            "_invoices": (self.client,),
            "_paid": (self.client,),
            "_last": (self.client,),
            "_newer": (self.client, 0, NOON - DAY),
            "_in_force": (self.client, DeliveryPurpose.DETAIL, NOON),
        }

    def _company(self):
        client = factories.make_client()
        self.user = user = factories.make_user(client, role="viewer", created_at=NOON - 9 * DAY)
        number = factories.make_subscriber(client)
        for days in ((None, -1), (1, None), (1, 2), (-3, 3)):
            began, ended = (days and NOON + days * DAY for days in days)
            factories.make_subscriber(client, valid_from=began, valid_to=ended)
        self.session, _ = sessions.start(user, ip="", user_agent="", now=NOON, hours=1)
        subscriber_choice.choose(client, user, number.id, ip="", now=NOON)
        thread = factories.make_thread(client, user=user, last_at=NOON)
        factories.make_message(thread, side=Side.OPERATOR, created_at=NOON)
        self.order = factories.make_order(client, [number], user=user, draft_key=f"of-{user.id}")
        self.draft = OrderDraft.create(
            key=f"k{user.id}", client=client, user=user, kind="charges", created_at=NOON
        )
        DraftSubscriber.create(draft=self.draft, subscriber=number)
        for day in (-2, -1, 1):
            factories.make_delivery_change(
                client,
                purpose=DeliveryPurpose.DETAIL,
                state=ChangeState.CONFIRMED,
                effective_at=NOON + day * DAY,
            )
        return client


@pytest.fixture
def asked(app, base):
    with app.app_context():
        yield Asked()


def said(rows):
    """Rows as they compare: with the rows that were joined to them."""
    return [
        row if isinstance(row, tuple) else (row.__data__, said(row.__rel__.values()))
        for row in rows
    ]


def test_each_says_what_the_plain_query_says(asked):
    """Twice: made, and as it was made."""
    assert {each.__name__ for each in questions.ALL} == asked.values.keys()
    for question in questions.ALL:
        values = asked.values[question.__name__]
        plain = said(question.make(*values))
        assert plain or question.__name__ == "_invoices"
        assert said(question(*values)) == plain, question.__name__
        assert said(question(*values)) == plain, question.__name__


def test_another_value_is_another_question(asked):
    other = factories.make_client()
    assert subscriber_choice.find(asked.client, asked.user) is not None
    assert subscriber_choice.find(other, asked.user) is None
    assert sessions.find("nobody's", now=NOON, idle=DAY) is None


def test_who_sees_chosen_numbers_is_asked_for_these(asked):
    """Whatever was made for others before."""
    assert Eligible(asked.client, NOON, NOON + DAY).count == 2
    UserScope.create(user=asked.user, client=asked.client, set_at=NOON, narrowed_at=NOON - DAY)
    with seen_through(scopes.of_user(asked.user)):
        assert Eligible(asked.client, NOON, NOON + DAY).count == 0
        assert subscriber_choice.find(asked.client, asked.user) is None
        ScopeSubscriber.create(
            user=asked.user, subscriber=SubscriberChoice.get(user=asked.user).subscriber
        )
        assert Eligible(asked.client, NOON, NOON + DAY).count == 1
    assert Eligible(asked.client, NOON, NOON + DAY).count == 2


def test_the_short_way_leads_to_the_same_list(asked):
    for days in range(-4, 5):
        for length in range(1, 6):
            start = NOON + days * DAY
            span = start, start + length * DAY
            plain = selection.eligible(asked.client, *span).order_by(*selection.BY_NUMBER)
            short = Eligible(asked.client, *span)
            assert short.count == plain.count()
            assert short.rows(1, 2) == list(plain.limit(2))


def test_without_anybody_left_out_the_days_are_not_looked_at(asked):
    client = factories.make_client()
    rows = [factories.make_subscriber(client, number=f"37529{n:07}") for n in range(5)]
    short = Eligible(client, NOON, NOON + DAY)
    assert [short.rows(page, 2) for page in (1, 2, 3, 4)] == [rows[:2], rows[2:4], rows[4:], []]


def test_nothing_is_nothing(asked):
    """NULL is compared by IS, which is another statement."""
    connections = made_once(
        lambda parent: Subscriber.across_clients().where(Subscriber.connection == parent)
    )
    questions.ALL.remove(connections)
    assert len(connections(None)) == Subscriber.select().count()
    assert connections(1) == []


def test_none_is_made_that_no_page_might_ask(asked):
    """Where nobody looks, either: a page may ask it later."""
    careless = made_once(lambda key: OrderDraft.select().where(OrderDraft.key == key))
    questions.ALL.remove(careless)
    with pytest.raises(UnscopedQuery):
        careless("k")
    assert UserSession.select().count() == 2
