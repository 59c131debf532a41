"""What the operator's people look at: files read in, and all clients' orders by state."""

from dataclasses import dataclass

from peewee import JOIN, Case, ModelSelect, fn

from domain.imports import ImportState
from domain.orders import OrderState
from domain.subscribers import fold
from models import Artefact, Client, Exchange, ImportRun, Mail, Order
from services.orders import RETRYABLE_STATES

IMPORTS_SHOWN = 20
ORDERS_PER_PAGE = 50
CLIENTS_PER_PAGE = 50
# What needs somebody comes first, then what is under way, then what is over.
URGENCY = (
    OrderState.UNCONFIRMED,
    OrderState.FAILED,
    OrderState.RETRY_WAIT,
    OrderState.SENDING,
    OrderState.RENDERED,
    OrderState.RENDERING,
    OrderState.ACCEPTED,
)


@dataclass(frozen=True)
class OrdersPage:
    """One page of orders; `counts` are of all orders, by state."""

    orders: list[Order]
    counts: dict[OrderState, int]
    state: OrderState | None
    page: int
    pages: int


@dataclass(frozen=True)
class OrderRecord:
    """One order with its file and its messages."""

    order: Order
    artefacts: list[Artefact]
    mails: list[Mail]

    @property
    def can_retry(self) -> bool:
        """Whether the operator may send it on its way again."""
        return self.order.state in RETRYABLE_STATES


@dataclass(frozen=True)
class ImportsPage:
    """One page of imports, newest first."""

    runs: list[ImportRun]
    found: int
    page: int
    pages: int


@dataclass(frozen=True)
class ClientsPage:
    """One page of clients, by name."""

    clients: list[Client]
    found: int
    page: int
    pages: int


def last_imports(limit: int = IMPORTS_SHOWN) -> list[ImportRun]:
    """The files read in last, newest first, with their exchanges and clients."""
    return list(_imports().limit(limit))


def imports_page(page: int) -> ImportsPage:
    """All imports in pages. A page beyond the last is the last."""
    found = ImportRun.select().count()
    pages = max(1, -(-found // IMPORTS_SHOWN))
    page = min(max(page, 1), pages)
    return ImportsPage(list(_imports().paginate(page, IMPORTS_SHOWN)), found, page, pages)


def find_import(run_id: int) -> ImportRun | None:
    """An import with its exchange and client."""
    return _imports().where(ImportRun.id == run_id).first()


def find_same(run: ImportRun) -> ImportRun | None:
    """The same file of the same exchange, stored before by another import."""
    return (
        ImportRun.select()
        .where(
            ImportRun.file_sha256 == run.file_sha256,
            ImportRun.file_sha256 != "",
            ImportRun.exchange == run.exchange_id,
            ImportRun.state == ImportState.DONE,
            ImportRun.id < run.id,
        )
        .order_by(ImportRun.id.desc())
        .first()
    )


def _imports() -> ModelSelect:
    return (
        ImportRun.select(ImportRun, Exchange, Client)
        .join(Exchange)
        .switch(ImportRun)
        .join(Client, JOIN.LEFT_OUTER)
        .order_by(ImportRun.id.desc())
    )


def clients_page(text: str, page: int) -> ClientsPage:
    """Clients whose name, account number or УНП holds `text`, by name. SQLite folds ASCII only, so
    the names are looked through here.
    """
    wanted = fold(text.strip())
    columns = (Client.id, Client.name, Client.account_no, Client.unp)
    found = sorted(
        (fold(name), client_id)
        for client_id, name, account_no, unp in Client.select(*columns).tuples().iterator()
        if wanted in fold(name) or wanted in fold(account_no) or wanted in unp
    )
    pages = max(1, -(-len(found) // CLIENTS_PER_PAGE))
    page = min(max(page, 1), pages)
    first = (page - 1) * CLIENTS_PER_PAGE
    ids = [client_id for _name, client_id in found[first : first + CLIENTS_PER_PAGE]]
    rows = {row.id: row for row in Client.select().where(Client.id.in_(ids))}
    return ClientsPage([rows[client_id] for client_id in ids], len(found), page, pages)


def orders_page(state: OrderState | None, page: int) -> OrdersPage:
    """Orders of all clients in one state, or in any. A page beyond the last is the last."""
    counts = _counts()
    found = counts.get(state, 0) if state else sum(counts.values())
    pages = max(1, -(-found // ORDERS_PER_PAGE))
    page = min(max(page, 1), pages)
    rank = Case(Order.state, [(each, place) for place, each in enumerate(URGENCY)], len(URGENCY))
    query = Order.across_clients(Order, Client).join(Client).order_by(rank, Order.id.desc())
    if state:
        query = query.where(Order.state == state)
    return OrdersPage(list(query.paginate(page, ORDERS_PER_PAGE)), counts, state, page, pages)


def find_order(key: str) -> OrderRecord | None:
    """An order of any client with what was made of it."""
    order = Order.across_clients(Order, Client).join(Client).where(Order.key == key).first()
    if order is None:
        return None
    artefacts = Artefact.select().where(Artefact.order == order).order_by(Artefact.ordinal)
    mails = Mail.select().where(Mail.order == order).order_by(Mail.ordinal)
    return OrderRecord(order, list(artefacts), list(mails))


def _counts() -> dict[OrderState, int]:
    rows = Order.across_clients(Order.state, fn.COUNT(Order.id)).group_by(Order.state).tuples()
    counts = {OrderState(state): count for state, count in rows}
    order = (*URGENCY, OrderState.SENT, OrderState.AVAILABLE, OrderState.CANCELLED)
    return {state: counts[state] for state in order if state in counts}
