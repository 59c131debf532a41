"""Demo data in the database: people, numbers and calls, loaded once and topped up to today.

The files of the demo's exchange and the truth about them lie in `<data dir>/demo/`; the files go
through the same importer as anybody's.
"""

import csv
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

from flask import current_app, has_app_context

from config import Config
from domain.call_centre import MemberKind
from domain.demo.calls import DemoCall, DemoLeg, Truth, World
from domain.demo.files import CSV, CUSTOM, late_dropped, write
from domain.demo.population import WORLDS, DemoClient, DemoNumber, Sizes, account_of, make_clients
from domain.errors import AlreadyExists, InvalidValue, NotFound
from domain.periods import month_start
from domain.roles import Role
from models import Client, Subscriber, User
from services import (
    accounts,
    call_centre,
    clock,
    demo_money,
    import_turns,
    imports,
    passwords,
    storage,
    tariffs,
)
from services.imports import ImportRequest, Outcome
from services.subscribers import NewSubscriber, add_subscribers

FOLDER = "demo"
TARIFFS = [
    Path(__file__).parent.parent / "domain" / "demo" / name
    for name in ("tariff.toml", "tariff-connection.toml")
]
EXCHANGE = "demo"
TOP_UP_AFTER = timedelta(minutes=10)
LONGEST_CALL = timedelta(hours=4)  # one under way at the last load may have begun so long before
TRUTH_FIELDS = ("call_id", "account", "number", "direction", "peer", "started_utc", "billable_s")
CENTRE_EMPLOYEES = 12
CENTRE_GROUPS = ("Продажи", "Поддержка")
LOGINS = (  # login, role, whose: number of the client, None for the operator
    ("demo", Role.CLIENT_ADMINISTRATOR, 0),
    ("demo-accountant", Role.ACCOUNTANT, 0),
    ("demo-viewer", Role.VIEWER, 0),
    ("demo-large", Role.CLIENT_ADMINISTRATOR, 1),
    ("operator", Role.OPERATOR_ADMINISTRATOR, None),
)


@dataclass
class _Loaded:
    """A world that was loaded: its sizes and the moment up to which it has calls."""

    sizes: Sizes
    until: datetime | None = None


def ensure(
    *, now: datetime, sizes: Sizes | None = None, config: Config | None = None
) -> list[Outcome]:
    """Load the demo, or top it up to `now`; what was imported. Safe to repeat, and after a kill.

    Without `sizes` those of the first load hold; others make one more world beside it.
    """
    config = _config(config)
    folder = config.data_dir / FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with import_turns.one_at_a_time(config.data_dir):
        worlds = _read_state(folder)
        number = _find_world(worlds, sizes)
        world = worlds[number]
        if not Client.select().where(Client.account_no == account_of(number, 0)).exists():
            world.until = None  # another database than the one that was loaded
        if world.until and now - world.until < TOP_UP_AFTER:
            _keep_password(config, now=now)
            return []
        clients = make_clients(world.sizes, number)
        _add_tariffs(now=now)
        _add_people(config, clients, now=now)
        outcomes = _add_calls(config, World(clients, world.sizes, clock.zone()), number, world, now)
        demo_money.add(_rows_of(clients), now=now)
        world.until = now
        _write_state(folder, worlds)
    return outcomes


def is_loaded(config: Config | None = None) -> bool:
    """Whether the demo has been loaded as far as people, numbers and calls."""
    worlds = _read_state(_config(config).data_dir / FOLDER)
    return bool(worlds) and worlds[0].until is not None


def sign_in_lines(config: Config | None = None) -> Iterator[str]:
    """How to sign in to the demo, for the terminal."""
    config = _config(config)
    password = _password_file(config).read_text("utf-8").strip()
    clients = make_clients(_read_state(config.data_dir / FOLDER)[0].sizes, 0)
    yield f"Sign in with the password {password} as"
    for login, role, index in LOGINS:
        if index is None:
            yield f"  {login}: the operator's {role.value.removeprefix('operator-')}"
        elif index < len(clients):
            client = clients[index]
            count = len(client.numbers)
            yield f"  {login}: {role.value}, account {client.account_no}, {count} numbers"


def _config(config: Config | None) -> Config:
    if config is not None:
        return config
    return current_app.config["CABINET"] if has_app_context() else Config.from_env()


# --- What has been loaded -------------------------------------------------------------------------


def _read_state(folder: Path) -> list[_Loaded]:
    try:
        rows = json.loads((folder / "state.json").read_text("utf-8"))
    except FileNotFoundError:
        return []
    return [_Loaded(Sizes(**row["sizes"]), datetime.fromisoformat(row["until"])) for row in rows]


def _write_state(folder: Path, worlds: Iterable[_Loaded]) -> None:
    rows = [
        {"sizes": asdict(world.sizes), "until": world.until.isoformat()}
        for world in worlds
        if world.until
    ]
    with storage.atomic_file(folder / "state.json") as path:
        path.write_text(json.dumps(rows, indent=1), "utf-8")


def _find_world(worlds: list[_Loaded], sizes: Sizes | None) -> int:
    """Number of the world of `sizes` in `worlds`, put there when it is new."""
    if worlds and sizes is None:
        return 0
    sizes = sizes or Sizes()
    for number, world in enumerate(worlds):
        if world.sizes == sizes:
            return number
    if len(worlds) == WORLDS:
        raise InvalidValue(what="demo sizes (the data dir holds four already)", value=str(sizes))
    worlds.append(_Loaded(sizes))
    return len(worlds) - 1


# --- Tariffs --------------------------------------------------------------------------------------


def _add_tariffs(*, now: datetime) -> None:
    """The plans that the demo's numbers name, unless there are plans of that name."""
    for path in TARIFFS:
        try:
            told = tariffs.import_file(path, now=now)
        except AlreadyExists:
            continue
        tariffs.publish(told.plan, told.valid_from, now=now)


# --- People ---------------------------------------------------------------------------------------


def _add_people(config: Config, clients: list[DemoClient], *, now: datetime) -> None:
    password = _keep_password(config, now=now)
    for made in clients:
        client = Client.get_or_none(Client.account_no == made.account_no)
        if client is None:
            client = _add_client(made, now=now)
        _add_numbers(client, made, now=now)
        if made.login:
            _add_call_centre(client, made, now=now)
    if not clients[0].login:
        return
    known = {user.login for user in User.across_clients(User.login)}
    for login, role, index in LOGINS:
        if login in known or (index is not None and index >= len(clients)):
            continue
        owner = None if index is None else accounts.find_client(clients[index].account_no)
        domain = "operator.example" if index is None else clients[index].email_domain
        accounts.add_user(
            login=login,
            role=role,
            client=owner,
            password=password,
            email=f"{login}@{domain}",
            now=now,
        )


def _rows_of(clients: list[DemoClient]) -> list[Client]:
    """The clients as they are stored, in the demo's order."""
    return [accounts.find_client(made.account_no) for made in clients]


def _add_client(made: DemoClient, *, now: datetime) -> Client:
    return accounts.add_client(
        name=made.name,
        account_no=made.account_no,
        unp=made.unp,
        invoice_email=f"schet@{made.email_domain}",
        detail_email=f"buh@{made.email_domain}",
        contract_no=f"SIP-{made.account_no[-4:]}/24",
        contract_date=date(2024, 2, 1 + made.index % 28),
        address=f"220030, г. Минск, ул. Немига, д. {made.index + 1}",
        may_download=True,
        now=now,
    )


def _add_numbers(client: Client, made: DemoClient, *, now: datetime) -> None:
    """The numbers that are not there yet: connections first, for the others belong to them."""
    known = {row.number for row in Subscriber.of(client, Subscriber.number)}
    missing = [number for number in made.numbers if number.number not in known]
    connections = [number for number in missing if not number.connection]
    add_subscribers(client, [_new(n, None) for n in connections], now=now)
    owners = {row.number: row for row in Subscriber.of(client)}
    rest = [_new(n, owners[n.connection]) for n in missing if n.connection]
    add_subscribers(client, rest, now=now)


def _add_call_centre(client: Client, made: DemoClient, *, now: datetime) -> None:
    """The connection as the number that customers call, and the busiest numbers as employees."""
    if call_centre.members_of(client):
        return
    line = made.numbers[0].number
    wanted = [line, *made.callers[0][:CENTRE_EMPLOYEES]]
    own = {row.number: row for row in Subscriber.of(client).where(Subscriber.number.in_(wanted))}
    call_centre.add(client, own.pop(line), MemberKind.LINE, now=now)
    for n, number in enumerate(sorted(own)):
        group = CENTRE_GROUPS[n % len(CENTRE_GROUPS)]
        call_centre.add(client, own[number], MemberKind.EMPLOYEE, group, now=now)


def _new(number: DemoNumber, connection: Subscriber | None) -> NewSubscriber:
    return NewSubscriber(
        number.number,
        number.full_name,
        number.plan,
        connection,
        status=number.status,
        status_reason=number.status_reason,
    )


def _password_file(config: Config) -> Path:
    return config.data_dir / FOLDER / "password"


def _keep_password(config: Config, *, now: datetime) -> str:
    """The password of the demo's logins: the one set, else made up once. A changed setting is
    given to the users who are there.
    """
    path = _password_file(config)
    kept = path.read_text("utf-8").strip() if path.exists() else ""
    password = config.DEMO_PASSWORD or kept or passwords.make_up()
    if password != kept:
        for login, _role, _index in LOGINS if kept else ():
            with suppress(NotFound):
                accounts.set_password(accounts.find_user(login), password=password, now=now)
        with storage.atomic_file(path) as temporary:
            temporary.touch(mode=0o600)
            temporary.write_text(password + "\n", "utf-8")
    return password


# --- Calls ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Chunk:
    """Days of one file, both included. Its first day is also in the file before it."""

    first: date
    last: date
    is_newest: bool


def _add_calls(
    config: Config, world: World, number: int, loaded: _Loaded, now: datetime
) -> list[Outcome]:
    """Files from where the last load ended up to `now`, imported; then the truth about them."""
    folder = config.data_dir / FOLDER
    exchange = EXCHANGE if number == 0 else f"{EXCHANGE}-{number + 1}"
    start = month_start(now.date(), 1)
    if loaded.until:
        start = max(start, clock.local(loaded.until - LONGEST_CALL).date())
    outcomes, truth = [], []
    for chunk in _chunks(start, now.date()):
        calls = list(_calls(world, chunk, clock.epoch(now)))
        if not calls:  # a night, or a very small world: a file without records is no file
            continue
        path = _write_file(folder, exchange, world, chunk, calls, now)
        request = ImportRequest(path=path, zone=config.TIME_ZONE, exchange_name=exchange)
        outcomes.append(imports.import_file(request, now=now))
        truth += [row for call in calls for row in call.truth]
    _add_truth(folder / "truth.csv", truth)
    return outcomes


def _chunks(start: date, end: date) -> Iterator[_Chunk]:
    """Half months from `start` to `end`; each takes the last day of the one before along."""
    first = start
    while (last := _half_month_end(first)) < end:
        yield _Chunk(first, last, is_newest=False)
        first = last
    yield _Chunk(first, end, is_newest=True)


def _half_month_end(day: date) -> date:
    """The next 15th or last of a month after `day`."""
    last = month_start(day, -1) - timedelta(days=1)
    if day.day < 15:
        return day.replace(day=15)
    return last if day < last else last + timedelta(days=15)


def _calls(world: World, chunk: _Chunk, until: int) -> Iterator[DemoCall]:
    """Calls of the chunk's days that are over by `until`."""
    for n in range((chunk.last - chunk.first).days + 1):
        for client in world.clients:
            for call in world.calls(client, chunk.first + timedelta(days=n)):
                if call.ended <= until:
                    yield call


def _write_file(
    folder: Path, exchange: str, world: World, chunk: _Chunk, calls: list[DemoCall], now: datetime
) -> Path:
    """One file of records in the order in which calls ended; dialects take turns."""
    name = f"{exchange}-{chunk.first}"
    if chunk.is_newest:
        name += f"-{now:%Y%m%dT%H%M%S}"
    rng = Random(f"{world.sizes.seed}:{name}")  # noqa: S311 - made-up data
    dialect = CUSTOM if chunk.first.day == 15 else CSV
    legs: Iterable[DemoLeg] = sorted((leg for call in calls for leg in call.legs), key=_written_at)
    if not chunk.is_newest:
        last_day = datetime.combine(chunk.last, datetime.min.time(), clock.zone())
        legs = late_dropped(legs, clock.epoch(last_day), rng)
    path = folder / f"{name}.csv"
    with storage.atomic_file(path) as temporary:
        worn = not chunk.is_newest
        temporary.write_bytes(write(legs, dialect, clock.zone(), rng, worn=worn))
    return path


def _written_at(leg: DemoLeg) -> tuple[int, str, int]:
    return leg.ended, leg.uid, leg.sequence


def _add_truth(path: Path, truth: Iterable[Truth]) -> None:
    """Add rows to the truth file; those of the overlap are there."""
    rows: dict[tuple[str, ...], None] = {}
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            rows = {tuple(row): None for row in list(csv.reader(file))[1:]}
    for row in truth:
        started = f"{clock.from_epoch(row.started):%Y-%m-%dT%H:%M:%SZ}"
        rows[(*row[:5], started, str(row.billable_s))] = None
    with (
        storage.atomic_file(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(TRUTH_FIELDS)
        writer.writerows(rows)
