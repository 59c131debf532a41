"""A small report for the tests of writers, all parts of it changeable."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from domain.call_detail import (
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
)
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
            **values,
        }
    )


def totals_of(rows):
    """The rows added up, as the database does it for real reports."""
    sums = defaultdict(lambda: {CallDirection.OUT: Sums(), CallDirection.IN: Sums()})
    for row in rows:
        answered = int(row.disposition == Disposition.ANSWERED)
        one = Sums(1, answered, row.duration_s, row.billable_s)
        sums[row.number, row.full_name][row.direction] += one
    return Totals(
        [
            NumberTotals(number, name, each[CallDirection.OUT], each[CallDirection.IN])
            for (number, name), each in sums.items()
        ]
    )
