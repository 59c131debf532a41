"""Ids for records that have none."""

from collections import Counter

from domain.cdr.record import stable_hash


class ContentIds:
    """An id by what a record says, and by which one it is among the equal records of its file."""

    def __init__(self) -> None:
        self._equal: Counter[int] = Counter()

    def of(self, *values: object) -> str:
        """The id of the next record of these values."""
        form = stable_hash(*values)
        self._equal[form] += 1
        return f"{form:016x}-{self._equal[form]}"
