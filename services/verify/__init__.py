"""Invariants over the data: `flask verify` runs them all. One module per subject."""

from services.verify import money, orders, records
from services.verify.registry import CHECKS, Breach, run

__all__ = ["CHECKS", "Breach", "money", "orders", "records", "run"]
