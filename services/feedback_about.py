"""What a thread is about: an order, a bill, a number or a call, always the client's own.

Addresses carry it as a word: `order:<key>`, `invoice:<key>`, `number:<id>`,
`call:<subscriber>-<started>-<seq>`.
"""

import re
from dataclasses import dataclass, replace

from domain.feedback import Subject
from domain.msisdn import normal_form
from domain.orders import OrderKind
from models import Client, Order, Subscriber
from models_billing import Invoice
from services import charges, orders

_KEY = r"[A-Za-z0-9_-]{1,64}"
_ROW = r"[0-9]{1,19}"
_KEYED = re.compile(rf"(order|invoice):({_KEY})")
_NUMBER = re.compile(rf"number:({_ROW})")
_CALL = re.compile(rf"call:({_ROW})-({_ROW})-({_ROW})")


@dataclass(frozen=True)
class About:
    """One thing of the client's, or nothing. `call` is (started_at, seq) of `subscriber`."""

    order: Order | None = None
    invoice: Invoice | None = None
    subscriber: Subscriber | None = None
    call: tuple[int, int] | None = None

    def word(self) -> str:
        """As it stands in addresses and forms."""
        if self.order:
            return f"order:{self.order.key}"
        if self.invoice:
            return f"invoice:{self.invoice.key}"
        if self.subscriber and self.call:
            return f"call:{self.subscriber.id}-{self.call[0]}-{self.call[1]}"
        return f"number:{self.subscriber.id}" if self.subscriber else ""

    @property
    def is_number(self) -> bool:
        """Whether it is a number and nothing more."""
        return bool(self.subscriber) and not (self.order or self.invoice or self.call)

    def with_number(self, subscriber: Subscriber | None) -> "About":
        """The same, about a number that was typed. A call stays one of its own number."""
        if self.call or subscriber is None:
            return self
        return replace(self, subscriber=subscriber)

    def subject(self) -> Subject | None:
        """What a question about it is likely to be filed under."""
        if self.order and self.order.kind == OrderKind.CALL_DETAIL:
            return Subject.CALL_DETAIL
        if self.order or self.invoice or self.call:
            return Subject.BILLS
        return None


NOTHING = About()
GREATEST = 2**63 - 1  # of a whole number, in either database


def find(word: str, client: Client) -> About | None:
    """What a word of an address stands for among the client's own; None for anything else."""
    if not word:
        return NOTHING
    if match := _KEYED.fullmatch(word):
        return _keyed(match[1], match[2], client)
    match = _NUMBER.fullmatch(word) or _CALL.fullmatch(word)
    numbers = [int(text) for text in match.groups()] if match else []
    if not numbers or max(numbers) > GREATEST:
        return None
    subscriber = charges.find_number(client, numbers[0])
    if subscriber is None or len(numbers) == 1:
        return subscriber and About(subscriber=subscriber)
    return _call(subscriber, numbers[1], numbers[2], client)


def key_in(word: str) -> str:
    """The key in a word, "" when it has none."""
    match = _KEYED.fullmatch(word)
    return match[2] if match else ""


def find_by_number(typed: str, client: Client) -> Subscriber | None:
    """A number of the client's as somebody types it, be it still theirs or not."""
    number = normal_form(typed)
    return Subscriber.of(client).where(Subscriber.number == number).first()


def _keyed(table: str, key: str, client: Client) -> About | None:
    if table == "order":
        order = orders.find(key, client)
        return order and About(order=order)
    invoice = Invoice.of(client).where(Invoice.key == key).first()
    return invoice and About(invoice=invoice)


def _call(subscriber: Subscriber, started: int, seq: int, client: Client) -> About | None:
    if charges.find_call(client, subscriber, started, seq) is None:
        return None
    return About(subscriber=subscriber, call=(started, seq))
