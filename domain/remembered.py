"""What millions of rows repeat is worked out once: their names, numbers and durations.

All gives what the plain function gives, only sooner.
"""

from collections.abc import Callable
from typing import Any

MOST = 20_000  # values kept of one kind: memory must not grow with a report or a file


class Remembered(dict[Any, Any]):
    """`made[value]` is `make(value)`. When there are `most`, all are forgotten. What `make` raises
    is raised, and nothing is kept.
    """

    def __init__(self, make: Callable[[Any], Any], most: int = MOST) -> None:
        super().__init__()
        self._make = make
        self._most = most

    def __missing__(self, value: Any) -> Any:
        made = self._make(value)
        if len(self) >= self._most:
            self.clear()
        self[value] = made
        return made
