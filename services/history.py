"""A client's orders, page by page."""

from dataclasses import dataclass

from domain.orders import OPEN_STATES, OrderState
from models import Client, Order, User

# What the list can be narrowed to: name in the address → states.
GROUPS = {
    "open": OPEN_STATES | {OrderState.UNCONFIRMED},
    "sent": {OrderState.SENT},
    "available": {OrderState.AVAILABLE},
    "failed": {OrderState.FAILED},
    "cancelled": {OrderState.CANCELLED},
}


@dataclass(frozen=True)
class OrdersPage:
    """One page of the history."""

    orders: list[Order]
    number: int
    pages: int
    found: int


def find_page(client: Client, group: str, number: int, *, size: int) -> OrdersPage:
    """Orders of `client` in a group of `GROUPS` (or all), newest first."""
    query = Order.of(client)
    if group in GROUPS:
        query = query.where(Order.state.in_(GROUPS[group]))
    found = query.count()
    pages = max(1, -(-found // size))
    number = min(max(1, number), pages)
    with_users = query.select(Order, User).join(User, on=(Order.user == User.id))
    rows = list(with_users.order_by(Order.number.desc()).paginate(number, size))
    return OrdersPage(rows, number, pages, found)
