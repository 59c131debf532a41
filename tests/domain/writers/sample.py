"""A small report for the tests of writers, all parts of it changeable."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from domain.call_costs import Cost, Destination, GroupSum, costs_of
from domain.call_detail import (
    COST_COLUMNS,
    HEAD_LABELS,
    CallRow,
    NumberTotals,
    ReportHead,
    Sums,
    Totals,
    Wording,
)
from domain.cdr.record import CallDirection, Disposition
from domain.orders import Direction
from domain.periods import DateRange
from domain.rating.states import CallRating

MINSK = ZoneInfo("Europe/Minsk")
NOON = datetime(2026, 11, 22, 12, tzinfo=MINSK)
COLUMNS = (
    "Дата",
    "Время",
    "Направление",
    "Номер абонента",
    "Ф.И.О.",
    "Собеседник",
    "Результат",
    "Длительность",
    "Тарифицируемая длительность",
    "ID записи",
    "Куда",
    "Цена минуты без НДС",
    "Оплачиваемая длительность",
    "Из пакета",
    "Стоимость без НДС",
)
MARCH = date(2026, 3, 1)
DESTINATIONS = {7: Destination("Минск", 60_000), 8: Destination("=1+1")}
UNPRICED = {None: "еще нет", CallRating.NO_PLAN: "без цены", CallRating.NO_RATE: "без цены"}
WORDING = Wording(
    title="Детализация звонков",
    summary_sheet="Сводка",
    calls_sheet="Звонки",
    excluded_sheet="Исключенные номера",
    labels={name: f"<{name}>" for name in HEAD_LABELS},
    columns=COLUMNS,
    directions={CallDirection.OUT: "Исходящий", CallDirection.IN: "Входящий"},
    choices=dict(zip(Direction, ("Исходящие", "Входящие", "Исходящие+Входящие"), strict=True)),
    results=dict(
        zip(Disposition, ("Отвечен", "Не отвечен", "Занято", "Не удался", "Отменен"), strict=True)
    ),
    sums={
        Direction.OUT: ("исх. звонков", "исх. отвечено", "исх. длит.", "исх. тариф."),
        Direction.IN: ("вх. звонков", "вх. отвечено", "вх. длит.", "вх. тариф."),
    },
    sum_columns=("Звонков", "Отвечено", "Длительность", "Тарифицируемая"),
    all_numbers="Всего",
    paper_columns={2: "Вид"},
    costs_sheet="Стоимость",
    by_destination="По направлениям",
    by_number="По номерам",
    cost_rule="Суммы без НДС",
    unpriced={**UNPRICED, CallRating.WAIVED: "не оплачивается"},
    cost_columns={name: f"<{name}>" for name in COST_COLUMNS},
    group_name=lambda group: f"{group}!",
    month_name=lambda month: f"{month:%m.%Y}",
    no_calls="За выбранный период звонков нет",
    page="Страница {page} из {pages}",
    language="ru",
)


def make_row(n=0, *, started=None, **values):
    """An answered outgoing call of a minute, `n` minutes after noon or when `started`."""
    started = started or NOON + timedelta(minutes=n)
    return CallRow(
        **{
            "started_at": int(started.timestamp()),
            "direction": CallDirection.OUT,
            "number": "375291112233",
            "full_name": "Иванов Иван",
            "peer": "375172001020",
            "disposition": Disposition.ANSWERED,
            "duration_s": 70,
            "billable_s": 60,
            "record_id": f"1795338000.{n}",
            **values,
        }
    )


def make_head(**values):
    """A report of November up to the 23rd, in both directions."""
    return ReportHead(
        **{
            "operator_name": "Оператор связи",
            "order_number": 12,
            "client_name": "ООО «Ромашка»",
            "account_no": "00001234",
            "period": DateRange(date(2026, 11, 1), date(2026, 11, 23)),
            "zone": MINSK,
            "direction": Direction.BOTH,
            "excluded": [],
            "made_at": datetime(2026, 11, 23, 14, 5, 7, tzinfo=MINSK),
            "data_until": datetime(2026, 11, 23, 13, 59, tzinfo=MINSK),
            "destination_of": DESTINATIONS.__getitem__,
            **values,
        }
    )


def priced_row(n=0, micros=60_000, **values):
    """A call with a price."""
    paid = {"rating": CallRating.PRICED, "price": micros, "billed_s": 60, "rate_id": 7}
    return make_row(n, **{**paid, **values})


def totals_of(rows, *, has_costs=False):
    """The rows added up, as the database does it for real reports."""
    sums = defaultdict(lambda: {CallDirection.OUT: Sums(), CallDirection.IN: Sums()})
    for row in rows:
        answered = int(row.disposition == Disposition.ANSWERED)
        one = Sums(1, answered, row.duration_s, row.billable_s)
        sums[row.number, row.full_name][row.direction] += one
    costs = costs_of(priced(rows), lambda _month: 2500, [MARCH]) if has_costs else None
    return Totals(
        [
            NumberTotals(
                number,
                name,
                each[CallDirection.OUT],
                each[CallDirection.IN],
                costs.by_number.get(int(number), Cost()) if costs else Cost(),
                sum(row.number == number and row.price is None for row in rows),
            )
            for (number, name), each in sums.items()
        ],
        costs,
    )


def priced(rows):
    """The rows that have a price, each as a sum by itself: a number is its own id."""
    for row in rows:
        if row.rate_id:
            seconds = (row.billed_s, row.package_s)
            yield GroupSum(int(row.number), MARCH, f"group{row.rate_id}", 1, *seconds, row.price)
