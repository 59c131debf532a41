"""Clients of the demo and their numbers. Numbers of different clients and worlds never meet."""

from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from random import Random

from domain.subscribers import CONNECTION_PLAN, NUMBER_PLAN, SubscriberStatus

DEMO_NUMBERS = 4
LARGE_NUMBERS = 1500
WORLDS = 4  # own numbers begin with 2, 3, 4, 5 after the code; strangers' with 6 or 7
_FIRST_LOCAL = 345_600  # where a world's numbers begin

_CODES = {"17": 70, "249": 10, "29": 8, "33": 6, "44": 6}
_FIRMS = (
    "Белтехсервис", "Минский завод вентиляции", "Гарант-Логистик", "Полесье-Агро", "Нёман-Торг",
    "Двина-Строй", "Артис-Медиа", "Вертикаль-М", "Городской парк", "Дом мебели", "Еврофарм",
    "Западная сеть", "Инструмент-Сити", "Кристалл-Сервис", "Лидер-Трэвел", "Мир дверей",
)  # fmt: skip
_SURNAMES = (
    "Иванов", "Ковалёв", "Козлов", "Новик", "Жук", "Мороз", "Климович", "Шевчук", "Соловьёв",
    "Петров", "Павлович", "Бондарь", "Кравцов", "Романов", "Лукашевич", "Савицкий", "Василевский",
    "Станкевич", "Королёв", "Гончар", "Дубровский", "Семёнов", "Щербаков", "Тарасевич", "Якушев",
)  # fmt: skip
_MEN = ("Иван", "Пётр", "Сергей", "Андрей", "Дмитрий", "Алексей", "Николай", "Фёдор", "Виктор")
_WOMEN = ("Анна", "Ольга", "Елена", "Наталья", "Татьяна", "Мария", "Ирина", "Светлана", "Алёна")
_FATHERS = ("Иванов", "Петров", "Сергеев", "Андреев", "Алексеев", "Викторов", "Николаев")
_BLOCKED = ("Неоплата", "По заявлению клиента", "Превышен лимит")
_CLOSED = ("Договор расторгнут", "Номер сдан")


@dataclass(frozen=True)
class Sizes:
    """How large a world is to be, and which of its kind. `calls` are of two months, about."""

    clients: int = 12
    subscribers: int = 0  # 0: as it comes
    calls: int = 34_000
    seed: int = 1


@dataclass(frozen=True)
class DemoNumber:
    """A number of a made-up client."""

    number: str
    full_name: str
    plan: str = NUMBER_PLAN
    connection: str = ""  # number of the connection it belongs to
    status: str = SubscriberStatus.ACTIVE
    status_reason: str = ""


@dataclass(frozen=True)
class DemoClient:
    """A made-up client. `login` is its administrator's, "" for one without users."""

    index: int
    name: str
    account_no: str
    unp: str
    email_domain: str
    login: str
    share: float  # of the world's calls
    numbers: tuple[DemoNumber, ...]

    @cached_property
    def callers(self) -> tuple[list[str], list[float]]:
        """Numbers that make calls, and their cumulative weights: few make most of the calls."""
        numbers = [n.number for n in self.numbers if n.status != SubscriberStatus.CLOSED]
        Random(self.account_no).shuffle(numbers)  # noqa: S311 - made-up data
        exponent = 0.3 if len(numbers) <= DEMO_NUMBERS else 0.8
        return numbers, list(accumulate((k + 1) ** -exponent for k in range(len(numbers))))


def account_of(world: int, index: int) -> str:
    """Лицевой счёт of a world's client: twelve digits."""
    return f"1000{world}{index + 1:07}"


def make_clients(sizes: Sizes, world: int) -> list[DemoClient]:
    """The clients of a world: in the first one «demo» and «demo-large» lead."""
    rng = Random(f"{sizes.seed}:clients")  # noqa: S311 - made-up data
    counts = _number_counts(sizes, rng)
    shares = _shares(len(counts))
    clients, running = [], _FIRST_LOCAL
    for index, (count, share) in enumerate(zip(counts, shares, strict=True)):
        login = ("demo", "demo-large")[index] if world == 0 and index < 2 else ""
        first = running
        running += -(-count // 10) * 10 if count <= 10 else -(-count // 100) * 100
        firm = "Ромашка" if login == "demo" else _FIRMS[(index + world) % len(_FIRMS)]
        again = (index + world) // len(_FIRMS)
        domain = "romashka.by" if login == "demo" else f"client{world}-{index}.example.by"
        clients.append(
            DemoClient(
                index=index,
                name=f"ООО «{firm}{f' {again + 1}' if again else ''}»",
                account_no=account_of(world, index),
                unp=f"{190_000_000 + world * 1_000_000 + index}",
                email_domain=domain,
                login=login,
                share=share,
                numbers=tuple(_numbers(login, count, first, world, rng)),
            )
        )
    return clients


def _number_counts(sizes: Sizes, rng: Random) -> list[int]:
    """How many numbers each client has: 4, 1500, 30, 1, then a heavy tail up to 2000."""
    if sizes.clients == 1:
        return [sizes.subscribers or DEMO_NUMBERS]
    tail = [min(2000, int(rng.paretovariate(1.2))) for _ in range(sizes.clients)]
    others = [30, 1, *tail][: sizes.clients - 2]
    if not sizes.subscribers:
        return [DEMO_NUMBERS, LARGE_NUMBERS, *others]
    left = sizes.subscribers - DEMO_NUMBERS - sum(others)
    if left < 1:
        others = [1] * len(others)
        left = max(1, sizes.subscribers - DEMO_NUMBERS - len(others))
    return [DEMO_NUMBERS, left, *others]


def _shares(clients: int) -> list[float]:
    weights = [0.09, 0.55, *(0.36 / (rank + 1) for rank in range(clients - 2))][:clients]
    return [weight / sum(weights) for weight in weights]


def _numbers(login: str, count: int, first: int, world: int, rng: Random) -> list[DemoNumber]:
    code = rng.choices(list(_CODES), list(_CODES.values()))[0]
    if login:
        code = "17"
    numbers = [_number(code, first + n, world) for n in range(count)]
    connection = numbers[0]
    made = [DemoNumber(connection, "SIP соединение", CONNECTION_PLAN)]
    for n, number in enumerate(numbers[1:], 1):
        if login == "demo":
            made.append(DemoNumber(number, "SIP-номер", NUMBER_PLAN, connection))
        elif n % 300 == 0:  # a firm of many numbers has several connections
            connection = number
            made.append(DemoNumber(number, "SIP соединение", CONNECTION_PLAN))
        else:
            status, reason = _status(rng)
            made.append(
                DemoNumber(number, _full_name(rng), NUMBER_PLAN, connection, status, reason)
            )
    return made


def _number(code: str, index: int, world: int) -> str:
    if code == "249":
        return f"37524{9_000_000 + world * 200_000 + index % 200_000:07}"
    return f"375{code}{(2 + world) * 1_000_000 + index:07}"


def _status(rng: Random) -> tuple[str, str]:
    draw = rng.random()
    if draw < 0.02:
        return SubscriberStatus.BLOCKED, rng.choice(_BLOCKED)
    if draw < 0.03:
        return SubscriberStatus.CLOSED, rng.choice(_CLOSED)
    return SubscriberStatus.ACTIVE, ""


def _full_name(rng: Random) -> str:
    surname, father = rng.choice(_SURNAMES), rng.choice(_FATHERS)
    if rng.random() < 0.5:
        return f"{surname} {rng.choice(_MEN)} {father}ич"
    if surname.endswith(("ов", "ев", "ёв")):
        surname += "а"
    elif surname.endswith("ский"):
        surname = surname.removesuffix("ий") + "ая"
    return f"{surname} {rng.choice(_WOMEN)} {father}на"
