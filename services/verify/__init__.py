"""Invariants over the data: `flask verify` runs them all. One module per subject."""

from services.verify import delivery, feedback, money, orders, payments, records, subscribers
from services.verify.registry import CHECKS, Breach, run

__all__ = [
    "CHECKS",
    "Breach",
    "delivery",
    "feedback",
    "money",
    "orders",
    "payments",
    "records",
    "run",
    "subscribers",
]
