"""Clients whose month makes an invoice of every shape there is, for golden files and for the eye.

Each case is a function that gives the client its month and may give back the document to look at;
without one it is the invoice of March.
"""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

from models_billing import (
    Discount,
    Instalment,
    InstalmentPlan,
    OneOffCharge,
    Payment,
    PlanAssignment,
    TariffFee,
    TariffPackage,
    TariffPlan,
    TariffRate,
    TariffVersion,
)
from services import billing, corrections, invoices, rating
from tests.factories import (
    NOON,
    make_call,
    make_client,
    make_import_run,
    make_subscriber,
    numbers_of,
)

MARCH, APRIL, MAY = date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)
NOW = datetime(2026, 4, 2, 6, tzinfo=UTC)
LATER = datetime(2026, 5, 2, 6, tzinfo=UTC)
RATES = (
    *(("375", "local", 21_000), ("37529", "mobile", 152_500), ("37524", "onnet", 0)),
    *(("7", "international", 812_300), ("48", "international", 1_204_000)),
)
PEERS = {
    "local": "375172223344",
    "mobile": "375291112233",
    "onnet": "375249001122",
    "russia": "74951112233",
    "poland": "48221112233",
}
CASES = {}


def case(function):
    """Put a case on the list under its name."""
    CASES[function.__name__] = function
    return function


def make_plan(name="SIP-номер", fee=350, **fee_values):
    """A tariff with a monthly fee and the prices above."""
    plan = TariffPlan.create(name=name, created_at=NOW)
    version = TariffVersion.create(
        plan=plan, valid_from=date(2026, 1, 1), state="published", created_at=NOW
    )
    values = {"code": "number", "name": f"Абонентская плата: {name}", "amount": fee, **fee_values}
    TariffFee.create(version=version, **values)
    for prefix, group, price in RATES:
        steps = [[0, price, 60, 60 if group == "international" else 1]]
        TariffRate.create(version=version, prefix=prefix, destination_group=group, steps=steps)
    return version


def make_customer(numbers=2, **values):
    """A client with as many numbers."""
    client = make_client(
        **{
            "name": "ООО «Ромашка»",
            "unp": "190000001",
            "account_no": "100200300400",
            "address": "220030, г. Минск, ул. Садовая, 5, пом. 12",
            "contract_no": "17/2024",
            "contract_date": date(2024, 5, 6),
            **values,
        }
    )
    for n in range(numbers):
        add_number(client, n)
    return client


def add_number(client, n=0, **values):
    """The n-th number of a client."""
    names = ("Приёмная", "Иванова Анна Сергеевна", "Склад № 2", "Ковалевич Пётр Янович")
    values = {"full_name": names[n % 4], "plan": "SIP-номер", **values}
    return make_subscriber(client, number=f"37517300{n:04}", **values)


def talk(subscriber, to="local", seconds=61, started=NOON, **values):
    """An answered outgoing call."""
    at = int(started.timestamp())
    return make_call(
        subscriber, started, billable_s=seconds, answered_at=at, peer=PEERS[to], **values
    )


def talk_a_bit(client):
    """Some calls of every number, of different lengths."""
    run = make_import_run()
    for n, subscriber in enumerate(numbers_of(client)):
        for m, to in enumerate(("local", "mobile", "russia")[: 1 + n % 3]):
            moment = NOON + timedelta(days=m, minutes=n)
            talk(subscriber, to, 47 + 61 * n + 13 * m, moment, import_run=run)


def pay(client, amount, day, document_no="", key="a"):
    """Money received."""
    Payment.create(
        client=client,
        paid_on=date(2026, 3, day),
        amount=amount,
        document_no=document_no,
        key=key,
        created_at=NOW,
    )


def charge(client, name, amount, **values):
    """Something paid once."""
    day = date(2026, 3, 17)
    OneOffCharge.create(client=client, day=day, name=name, amount=amount, created_at=NOW, **values)


def sell(client, goods="Шлюз Grandstream HT802", amount=12_000, parts=12, due=3, **values):
    """Goods that are paid by and by: this month's is part `due`."""
    plan = InstalmentPlan.create(
        client=client,
        contract_no="Р-15/26",
        goods=goods,
        starts_on=date(2026, 1, 1),
        price=amount * parts,
        created_at=NOW,
        **values,
    )
    for n in range(1, parts + 1):
        month = date(2026 + (n - 1) // 12, (n - 1) % 12 + 1, 15)
        on = 1 if n < due else None  # those before stand on an earlier document
        Instalment.create(plan=plan, ordinal=n, due_on=month, amount=amount, invoice_id=on)


def form(period=MARCH, now=NOW):
    """Price the calls and form the month."""
    rating.rerun(MARCH, MAY)
    return billing.form_month(period, now=now)


def document_of(name):
    """Carry a case out; its document."""
    made = CASES[name]()
    if not hasattr(made, "content_hash"):  # a client: its month is formed here
        form()
        [made] = invoices.of_client(made)
    return made


# --- The cases ------------------------------------------------------------------------------------


@case
def two_numbers():
    make_plan()
    client = make_customer()
    talk_a_bit(client)
    return client


@case
def numbers_that_came_and_went():
    make_plan()
    client = make_customer(1)
    add_number(client, 1, valid_from=datetime(2026, 3, 15, 21, tzinfo=UTC))
    add_number(client, 2, valid_to=datetime(2026, 3, 10, 21, tzinfo=UTC))
    talk_a_bit(client)
    return client


@case
def a_package_used_up():
    version = make_plan()
    TariffPackage.create(
        version=version,
        ordinal=1,
        code="home",
        name="10 минут по Беларуси",
        quota_s=600,
        is_shared=True,
        groups=["local"],
    )
    client = make_customer()
    for n in range(4):
        talk(numbers_of(client)[n % 2], "local", 290, NOON + timedelta(days=n))
    return client


@case
def late_calls():
    make_plan()
    client = make_customer()
    talk_a_bit(client)
    form()
    late = make_import_run()
    talk(numbers_of(client)[0], "mobile", 95, NOON + timedelta(days=5), import_run=late)
    talk(numbers_of(client)[1], "poland", 61, NOON + timedelta(days=6), import_run=late)
    talk(numbers_of(client)[1], "local", 61, datetime(2026, 4, 5, 9, tzinfo=UTC), import_run=late)
    form(APRIL, LATER)
    return invoices.of_client(client)[0]


@case
def a_discount():
    make_plan()
    client = make_customer(3)
    talk_a_bit(client)
    Discount.create(client=client, name="за пять лет с нами, 10 %", percent=1000, valid_from=MARCH)
    return client


@case
def two_rates_of_vat():
    make_plan()
    client = make_customer()
    talk_a_bit(client)
    sell(client)
    charge(client, "IP-телефон Yealink T31", 14_990, service="goods")
    return client


@case
def a_credit_note():
    make_plan()
    client = make_customer()
    talk_a_bit(client)
    form()
    [invoice] = invoices.of_client(client)
    lines = [corrections.Correction(1, Fraction(1, 2)), corrections.Correction(2, Fraction(1))]
    return corrections.correct(invoice, lines, reason="Номер не работал с 1 по 15 марта", now=LATER)


@case
def a_credit_note_after_payment():
    make_plan()
    client = make_customer()
    sell(client)
    pay(client, 20_000, 20, "88")
    form()
    [invoice] = invoices.of_client(client)
    lines = [corrections.Correction(n, Fraction(1)) for n in (1, 2)]
    return corrections.correct(invoice, lines, reason="Возврат", now=LATER)


@case
def nothing_at_all():
    return make_customer(0, contract_no="", contract_date=None, address="")


@case
def only_a_debt():
    client = make_customer(0)
    charge(client, "Подключение", 5_000)
    form()
    form(APRIL, LATER)
    return invoices.of_client(client)[0]


@case
def paid_ahead():
    make_plan()
    client = make_customer()
    pay(client, 100_000, 4, "1204")
    return client


@case
def paid_to_the_kopeck():
    make_plan()
    client = make_customer()
    pay(client, 875, 31, "7")
    return client


@case
def many_payments():
    make_plan()
    client = make_customer()
    for n in range(1, 25):
        pay(client, 10 + n, n, f"{100 + n}" if n % 2 else "", key=f"k{n}")
    pay(client, -500, 28, "возврат 3", key="back")
    return client


@case
def sixty_numbers():
    make_plan()
    client = make_customer(60)
    talk_a_bit(client)
    return client


@case
def more_numbers_than_paper_holds():
    make_plan()
    return make_customer(501)


@case
def long_names():
    make_plan(name="Корпоративный безлимитный для территориально распределённых сетей")
    name = (
        "Государственное производственное объединение «Республиканский научно-практический центр "
        "технической диагностики и неразрушающего контроля магистральных трубопроводов»"
    )
    client = make_customer(0, name=name, address=f"220030, г. Минск, {'ул. Независимости, ' * 6}5")
    add_number(
        client,
        full_name="Константинопольская-Задунайская Александрина Святославовна, сектор №" + "9" * 60,
        plan="Корпоративный безлимитный для территориально распределённых сетей",
    )
    charge(client, "Настройка " + "безостановочно" * 12, 100)
    return client


@case
def signs_of_markup_and_formulas():
    make_plan()
    client = make_customer(0, name="ООО <b>«Рога & копыта»</b> &amp; Ко")
    for n, name in enumerate(("=1+1", "<i>Иванов", "+375 17", "@SUM(A1)", "Ли\u0001\u4e2d😀\tА")):
        add_number(client, n, full_name=name)
    charge(client, "<font color=red>Выезд</font> & =HYPERLINK(1)", 1_000)
    return client


@case
def something_given_back_once():
    make_plan()
    client = make_customer()
    charge(client, "Возврат за перерыв связи 12 марта", -275)
    return client


@case
def two_plans():
    make_plan()
    make_plan("SIP-соединение", 2_500)
    client = make_customer(2)
    add_number(client, 2, plan="SIP-соединение")
    talk_a_bit(client)
    return client


@case
def a_plan_changed_within_the_month():
    make_plan()
    new = make_plan("SIP-максимум", 990)
    client = make_customer(1)
    PlanAssignment.create(
        client=client,
        subscriber=numbers_of(client)[0],
        plan=new.plan,
        valid_from=date(2026, 3, 11),
    )
    talk_a_bit(client)
    return client


@case
def a_fee_of_the_client_and_one_by_quantity():
    version = make_plan(ranges=[[2, 3_500_000, 0], [None, 2_000_000, 0]], amount=0)
    TariffFee.create(
        version=version,
        code="line",
        name="Выделенная линия",
        amount=12_000,
        is_per_client=True,
    )
    TariffFee.create(
        version=version, code="join", name="Подключение", amount=1_500, is_monthly=False
    )
    client = make_customer(3)
    add_number(client, 3, valid_from=datetime(2026, 3, 19, 21, tzinfo=UTC))
    return client


@case
def large_sums():
    make_plan(fee=123_456_789)
    client = make_customer()
    charge(client, "Строительство узла связи", 98_765_432_110)
    pay(client, 50_000_000_000, 9, "000042")
    return client


@case
def everything_at_once():
    make_plan()
    client = make_customer(5)
    talk_a_bit(client)
    form()
    late = make_import_run()
    talk(numbers_of(client)[0], "mobile", 95, NOON + timedelta(days=5), import_run=late)
    run = make_import_run()
    april = datetime(2026, 4, 7, 9, tzinfo=UTC)
    for n, to in enumerate(PEERS):
        talk(numbers_of(client)[n], to, 61 + n, april + timedelta(hours=n), import_run=run)
    sell(client, subscriber=numbers_of(client)[3])
    charge(client, "Выезд специалиста", 4_500)
    charge(client, "IP-телефон Yealink T31", 14_990, service="goods")
    Discount.create(client=client, name="Скидка постоянного клиента", percent=500, valid_from=MARCH)
    pay(client, 1_000, 30, "55")
    form(APRIL, LATER)
    return invoices.of_client(client)[0]


@case
def without_a_tariff():
    client = make_customer(2)
    charge(client, "Подключение", 2_000)
    return client
