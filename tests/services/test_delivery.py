"""A change of where invoices go: nothing goes to the new address before it is confirmed from there
and a day has passed, and whoever reads the old mailbox can say no.
"""

import email.policy
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes

import pytest

from domain.billing.delivery import DeliveryMethod, DeliveryPurpose, Stage
from domain.errors import (
    DeliveryChangePending,
    InvalidValue,
    NothingToChange,
    TooManyDeliveryChanges,
)
from domain.orders import Direction, FileFormat, OrderState
from domain.periods import DateRange
from domain.roles import Role
from jobs import notices as notices_job
from jobs import orders as orders_job
from models import AuditEvent, Client, Notice, Order, OrderDraft
from models_billing import DeliverySetting, Invoice, OneOffCharge
from services import (
    accounts,
    billing,
    cabinet_users,
    clock,
    delivery,
    delivery_changes,
    delivery_letters,
    invoices,
    orders,
    reconcile,
    verify,
)
from services.audit import By
from services.delivery_changes import Wish
from tests import factories
from tests.page import Browser
from tests.smtp_sink import SmtpSink

OLD, NEW, DETAIL = "old@romashka.by", "new@lotos.by", "cdr@romashka.by"
BEGUN = datetime(2026, 4, 1, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
INSTANT = timedelta(microseconds=1)
LINK = re.compile(r"http://127\.0\.0\.1:8000(/bills/delivery/(?:confirm|cancel)/\S+)")


class Office:
    """A client, its accountant, and everything that went to the mail server."""

    def __init__(self, app, sink, monkeypatch):
        self.app, self.sink, self.now = app, sink, BEGUN
        monkeypatch.setattr(clock, "now", lambda: self.now)
        settings = {"MAIL_SERVER": "localhost", "MAIL_PORT": sink.port, "MAIL_TIMEOUT_S": 10}
        monkeypatch.setitem(app.config, "CABINET", replace(app.config["CABINET"], **settings))
        self.client = factories.make_client(
            invoice_email=OLD, detail_email=DETAIL, created_at=BEGUN - 90 * DAY
        )
        self.user = factories.make_user(self.client, full_name="Анна Котова")

    def ask(self, address=NEW, method=DeliveryMethod.EMAIL, **more):
        return delivery_changes.ask(
            self.client, Wish(method, address, **more), user=self.user, now=self.now
        )

    def post(self):
        """What the workers do with what is due."""
        notices_job.send(0)
        while (
            Order.across_clients()
            .where(Order.next_try_at <= self.now, Order.is_open_condition())
            .exists()
        ):
            orders_job.carry(0)

    def letters(self, address):
        """Subjects of what has arrived there, oldest first."""
        return [message["Subject"] for message in self.messages(address)]

    def messages(self, address):
        return [
            message_from_bytes(taken.content, policy=email.policy.default)
            for taken in self.sink.accepted
            if taken.recipients == (address,)
        ]

    def link(self, address):
        """Where the last letter to an address leads."""
        text = self.messages(address)[-1].get_body(("plain",)).get_content()
        return LINK.search(text).group(1)

    def press(self, address):
        """Open the link in the last letter there, and press its button."""
        stranger = Browser(self.app)  # nobody is signed in
        stranger.get(self.link(address))
        stranger.post(self.link(address))
        return stranger.follow()

    def order_detail(self):
        """A call detail ordered now."""
        number = factories.make_subscriber(self.client)
        return factories.make_order(
            self.client, [number], user=self.user, number=orders.next_number(self.client),
            created_at=self.now, due_at=self.now, next_try_at=self.now,
        )  # fmt: skip

    def bill(self, month):
        """The invoice of a month, formed now and mailed."""
        OneOffCharge.create(
            client=self.client, day=month, name="Выезд", amount=100, created_at=self.now
        )
        billing.form_month(month, client=self.client, mail=True, now=self.now)
        self.post()
        return Invoice.of(self.client).where(Invoice.period == month).get()

    def current(self):
        return delivery.current(self.client, now=self.now).email


@pytest.fixture
def office(app, base, monkeypatch):
    with SmtpSink() as sink:
        yield Office(app, sink, monkeypatch)


def bills(office, address):
    return [subject for subject in office.letters(address) if subject.startswith("Счет №")]


def details(office, address):
    return [s for s in office.letters(address) if s.startswith("Детализация")]


def test_nothing_goes_to_a_new_address_before_it_is_confirmed_and_a_day_has_passed(office):
    early = office.order_detail()  # on its way when the change is asked for
    early_bill = place_bill(office)
    office.ask()
    office.post()
    assert office.letters(NEW) == ["Подтвердите адрес для счетов"]
    assert "Запрошено изменение доставки счетов" in office.letters(OLD)

    office.now += 2 * HOUR
    january = office.bill(date(2026, 1, 1))
    assert january.delivery_email == OLD
    office.press(NEW)
    office.post()
    confirmed = office.now
    assert office.letters(OLD)[-1] == "Изменение доставки счетов подтверждено"

    office.now = confirmed + DAY - INSTANT  # the last moment of the day
    assert office.current() == OLD
    february = office.bill(date(2026, 2, 1))
    office.order_detail()
    office.post()
    assert february.delivery_email == OLD
    assert office.letters(NEW) == ["Подтвердите адрес для счетов"], "not one bill, not one detail"
    assert len(bills(office, OLD)) == 2

    office.now = confirmed + DAY  # this very moment it holds
    assert office.current() == NEW
    march = office.bill(date(2026, 3, 1))
    assert march.delivery_email == NEW
    assert len(bills(office, NEW)) == 1
    office.order_detail()
    office.post()
    assert details(office, NEW) == [], "call details go to the address of the application"
    assert len(details(office, DETAIL)) == 3
    assert Order.get_by_id(early.id).email == DETAIL
    office.now = BEGUN + 30 * HOUR  # what was ordered before any of this is done at last
    office.post()
    assert Order.get_by_id(early_bill.id).state == OrderState.SENT
    assert (len(bills(office, OLD)), len(bills(office, NEW))) == (3, 1)
    assert not verify.run()


def place_bill(office):
    """An order of a bill as the cabinet places it, to the address that holds: to be done later."""
    OneOffCharge.create(
        client=office.client, day=date(2025, 12, 5), name="Выезд", amount=100, created_at=BEGUN
    )
    billing.form_month(date(2025, 12, 1), client=office.client, mail=True, now=office.now)
    order = Order.of(office.client).order_by(Order.id.desc()).get()
    later = office.now + 30 * HOUR  # behind the moment at which the change takes effect
    Order.update(next_try_at=later, due_at=later).where(Order.id == order.id).execute()
    return order


def test_an_order_placed_before_keeps_its_address_when_it_is_carried_out_after(office):
    order = place_bill(office)
    office.ask()
    office.post()
    office.press(NEW)
    office.now += 30 * HOUR
    assert office.current() == NEW
    office.post()
    assert Order.get_by_id(order.id).state == OrderState.SENT
    assert (len(bills(office, OLD)), bills(office, NEW)) == (1, [])


@pytest.mark.parametrize("confirmed", [False, True], ids=["asked", "confirmed"])
def test_the_old_mailbox_cancels_at_any_time_before(office, confirmed):
    office.ask()
    office.post()
    first = office.link(OLD)
    if confirmed:
        office.press(NEW)
        office.post()
        assert office.link(OLD) == first, "both letters carry the same link"
        office.now += DAY - INSTANT
    page = office.press(OLD)
    assert "Изменение отменено" in page.text
    office.now += 3 * DAY
    assert office.current() == OLD
    assert office.bill(date(2026, 3, 1)).delivery_email == OLD
    if not confirmed:
        page = office.press(NEW)
        assert "Изменение отменено" in page.text
        office.now += 2 * DAY
        assert office.current() == OLD


def test_behind_its_moment_a_change_is_not_cancelled_from_the_old_mailbox(office):
    office.ask()
    office.post()
    office.press(NEW)
    office.now += DAY
    page = office.press(OLD)
    assert "отменить его уже нельзя" in page.text
    assert office.current() == NEW


def test_looking_at_a_link_does_nothing_however_often(app, office):
    office.ask()
    office.post()
    for address in (NEW, OLD):
        scanner = app.test_client()
        for _ in range(5):
            assert scanner.head(office.link(address)).status_code == 200
            assert scanner.get(office.link(address)).status_code == 200
    row = DeliverySetting.get()
    assert delivery.stage_of(row, now=office.now) is Stage.WAITING
    assert "Адрес подтвержден" in office.press(NEW).text


def test_a_link_confirms_once(office):
    office.ask()
    office.post()
    office.press(NEW)
    first = DeliverySetting.get().effective_at
    office.now += HOUR
    office.press(NEW)
    assert DeliverySetting.get().effective_at == first
    asked = AuditEvent.select().where(AuditEvent.event == "delivery_change_confirmed")
    assert asked.count() == 1


def test_a_link_that_came_too_late_confirms_nothing(office):
    office.ask()
    office.post()
    office.now += DAY
    assert "Ссылка действовала до 02.04.2026 12:00" in office.press(NEW).text
    assert delivery.pending(office.client, now=office.now) is None
    assert reconcile.tick(now=office.now).purged >= 1
    row = DeliverySetting.get()
    assert (row.state, row.closed_at) == ("expired", BEGUN + DAY)
    assert AuditEvent.select().where(AuditEvent.event == "delivery_change_expired").count() == 1
    office.ask()  # and another can be asked for


def test_the_hold_is_a_setting(app, office, monkeypatch):
    config = replace(app.config["CABINET"], DELIVERY_HOLD_HOURS=0)
    monkeypatch.setitem(app.config, "CABINET", config)
    office.ask()
    office.post()
    office.press(NEW)
    assert office.current() == NEW


def test_the_method_alone_needs_no_confirmation_and_waits_the_day_all_the_same(office):
    row = office.ask("", DeliveryMethod.PICKUP, receiver="Иванов И. И., доверенность 7")
    office.post()
    assert office.letters(OLD) == ["Запрошено изменение доставки счетов"]
    assert row.effective_at == BEGUN + DAY
    office.now += DAY - INSTANT
    assert office.bill(date(2026, 2, 1)).delivery_method == "email"
    office.now += INSTANT
    held = delivery.current(office.client, now=office.now)
    assert (held.method, held.email) == (DeliveryMethod.PICKUP, OLD)
    before = len(bills(office, OLD))
    assert office.bill(date(2026, 3, 1)).delivery_method == "pickup"
    assert len(bills(office, OLD)) == before, "what is picked up is not mailed"


def test_there_is_one_change_at_a_time(office):
    office.ask()
    with pytest.raises(DeliveryChangePending):
        office.ask("other@lotos.by")
    delivery_changes.cancel(DeliverySetting.get(), user=office.user, now=office.now)
    office.ask("other@lotos.by")


def test_what_is_so_already_and_what_is_not_offered_are_refused(office):
    with pytest.raises(NothingToChange):
        office.ask(OLD)
    with pytest.raises(InvalidValue):
        office.ask("", DeliveryMethod.POST)
    with pytest.raises(InvalidValue):
        office.ask("x@y\r\nBcc: evil@example.com")
    assert not DeliverySetting.select().exists()
    assert not Notice.select().exists()


def test_not_many_letters_go_to_whatever_is_typed(office):
    for n in range(5):
        office.ask(f"a{n}@lotos.by")
        delivery_changes.cancel(
            DeliverySetting.select().order_by(DeliverySetting.id.desc()).get(), now=office.now
        )
    with pytest.raises(TooManyDeliveryChanges):
        office.ask()
    office.now += DAY
    office.ask()


def test_each_step_is_in_the_audit_trail_without_addresses(office):
    office.ask()
    office.post()
    office.press(NEW)
    delivery_changes.cancel(DeliverySetting.get(), user=office.user, now=office.now)
    events = AuditEvent.select().where(AuditEvent.event.startswith("delivery"))
    assert [event.event for event in events.order_by(AuditEvent.id)] == [
        "delivery_change_asked", "delivery_change_confirmed", "delivery_change_cancelled",
    ]  # fmt: skip
    assert {event.subject for event in events} == {f"delivery_setting:{DeliverySetting.get().id}"}
    assert "@" not in repr([event.detail for event in events])


def test_letters_show_addresses_in_part(office):
    office.ask()
    office.post()
    office.press(NEW)
    office.post()
    for message in (*office.messages(OLD), *office.messages(NEW)):
        text = message.get_body(("plain",)).get_content()
        assert "n***@l***.by" in text
        assert NEW not in text
        assert OLD not in text
        assert "Анна Котова" in text
        assert not re.search(r"\d|@|Ромашка", message["Subject"])


def test_the_operators_own_change_is_in_the_history_and_ends_what_is_under_way(office):
    office.ask()
    changed = accounts.change_client(office.client, invoice_email="third@lotos.by", now=office.now)
    assert changed == ["invoice_email"]
    assert office.current() == "third@lotos.by"
    assert (
        accounts.change_client(office.client, invoice_email="third@lotos.by", now=office.now) == []
    )
    office.post()
    assert office.letters(OLD)[-1] == "Изменена доставка счетов"
    assert "Изменение отменено" in office.press(NEW).text
    page = delivery.history(office.client, 1, size=10, now=office.now)
    assert [(change.row.email, change.stage.value) for change in page.changes] == [
        ("third@lotos.by", "done"), (NEW, "cancelled"),
    ]  # fmt: skip
    assert [change.is_current for change in page.changes] == [True, False]
    assert Client.get_by_id(office.client.id).invoice_email == OLD, "what it was added with"
    assert office.bill(date(2026, 3, 1)).delivery_email == "third@lotos.by"
    assert delivery.current(office.client, now=BEGUN - INSTANT).email == OLD
    assert not verify.run()


def test_an_invoice_that_went_elsewhere_is_a_breach(office):
    office.ask()
    office.post()
    office.press(NEW)
    office.now += DAY
    office.bill(date(2026, 3, 1))
    assert not verify.run()
    [invoice] = invoices.of_client(office.client)
    DeliverySetting.update(email="evil@example.com").execute()
    assert [(b.check, b.detail) for b in verify.run()] == [
        (
            "an_invoice_was_delivered_as_it_stood",
            f"invoice {invoice.id} was not formed with the delivery of its time",
        )
    ]


def test_two_changes_under_way_are_a_breach(office):
    office.ask()
    factories.make_delivery_change(office.client, asked_at=office.now)
    assert {breach.check for breach in verify.run()} == {"a_client_has_one_change_under_way"}


# --- The address for call details -----------------------------------------------------------------


def ask_detail(office, address=NEW):
    return office.ask(address, purpose=DeliveryPurpose.DETAIL)


def order_now(office, key):
    """A call detail ordered on the pages at this moment."""
    draft = OrderDraft.create(
        client=office.client, user=office.user, kind="call_detail", key=key, created_at=office.now
    )
    today = clock.local(office.now).date()
    asked = orders.CallDetailRequest(DateRange(today, today), Direction.BOTH, FileFormat.CSV)
    number = factories.make_subscriber(office.client)
    return orders.place(
        draft, asked, client=office.client, user=office.user, listed=[number.id],
        now=clock.local(office.now),
    )  # fmt: skip


def test_no_call_detail_goes_to_a_new_address_before_it_is_confirmed_and_a_day_has_passed(office):
    early = order_now(office, "early")
    ask_detail(office)
    office.post()
    assert office.letters(NEW) == ["Подтвердите адрес для детализации"]
    assert "Запрошено изменение адреса для детализации" in office.letters(DETAIL)
    assert office.letters(OLD) == [], "bills have nothing to do with it"
    page = office.press(NEW)
    assert "Адрес подтвержден" in page.text
    office.post()
    confirmed = office.now
    assert office.letters(DETAIL)[-1] == "Изменение адреса для детализации подтверждено"

    office.now = confirmed + DAY - INSTANT
    held = order_now(office, "held")
    office.now = confirmed + DAY
    late = order_now(office, "late")
    office.post()
    assert [row.email for row in (early, held, late)] == [DETAIL, DETAIL, NEW]
    assert len(details(office, NEW)) == 1
    assert len(details(office, DETAIL)) == 2
    assert office.current() == OLD, "bills go where they went"


def test_the_old_mailbox_cancels_a_new_address_for_call_details(office):
    row = ask_detail(office)
    office.post()
    page = office.press(DETAIL)
    assert "детализация приходит на прежний адрес" in page.text
    office.now += 3 * DAY
    assert delivery.detail_email(office.client, now=office.now) == DETAIL
    assert "счет" not in office.messages(DETAIL)[-1].get_body(("plain",)).get_content().lower()
    assert delivery.stage_of(delivery.find_change(
        office.client, row.key, DeliveryPurpose.DETAIL
    ), now=office.now) == "cancelled"  # fmt: skip


def test_each_purpose_has_a_change_of_its_own_under_way(office):
    ask_detail(office)
    office.ask()
    with pytest.raises(DeliveryChangePending):
        ask_detail(office, "third@lotos.by")
    pages = delivery.history(
        office.client, 1, size=10, now=office.now, purpose=DeliveryPurpose.DETAIL
    )
    assert len(pages.changes) == 1


def test_the_operator_gives_call_details_another_address_at_once_and_the_old_one_is_told(office):
    row = ask_detail(office)
    accounts.change_client(office.client, detail_email="boss@lotos.by", now=office.now)
    office.post()
    assert office.letters(DETAIL)[-1] == "Адрес для детализации изменен"
    assert delivery.detail_email(office.client, now=office.now) == "boss@lotos.by"
    assert not delivery_changes.confirm(delivery_letters.confirm_token(row), now=office.now), (
        "what was under way is over"
    )


@pytest.mark.parametrize("purpose", list(DeliveryPurpose))
def test_who_is_shut_out_changes_nothing_by_what_was_asked_for_before(office, purpose):
    factories.make_user(office.client, password="somebody-must-be-left")
    row = office.ask(purpose=purpose)
    by = By(now=office.now)
    cabinet_users.change(
        office.user, by=by, role=Role.CLIENT_ADMINISTRATOR, is_active=False, full_name=""
    )
    assert not delivery_changes.confirm(delivery_letters.confirm_token(row), now=office.now)
    assert delivery.pending(office.client, purpose, now=office.now) is None
