"""Questions that every page asks: their SQL is made once, and not for each page. The ORM takes ten
times as long to put one together as SQLite takes to answer it.
"""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, NamedTuple

from peewee import Context, ModelSelect, Node

from models import db, scope_in_force, tenant_guard


class _Gap(NamedTuple):
    """Where a value goes, as its column wants it."""

    place: int
    convert: Callable[[Any], Any] | None


class _Argument(Node):
    """Stands for a value while SQL is made."""

    def __init__(self, place: int) -> None:
        self._place = place

    def __sql__(self, ctx: Context) -> Context:
        return ctx.value(_Gap(self._place, ctx.state.converter), converter=False)


class _Made(NamedTuple):
    query: ModelSelect  # knows what rows become
    sql: str
    values: list[Any]  # and gaps


class Question:
    """A query of some values, each of them one that a column can be compared with (no list, no
    model class). Called with them it gives the rows.
    """

    def __init__(self, make: Callable[..., ModelSelect]) -> None:
        self.make = make  # the plain way, for what has to be narrowed
        self._made: dict[str, _Made] = {}
        update_wrapper(self, make)

    def __call__(self, *values: Any) -> list[Any]:
        # A scope makes another query of it, and NULL is compared in another way.
        if scope_in_force() is not None or None in values:
            return list(self.make(*values))
        made = self._made.get(db.param) or self._put_together(len(values))
        filled = [_fill(each, values) if type(each) is _Gap else each for each in made.values]
        return list(made.query._get_cursor_wrapper(db.execute_sql(made.sql, filled)))

    def first(self, *values: Any) -> Any:
        """The first row, or None."""
        return next(iter(self(*values)), None)

    def _put_together(self, count: int) -> _Made:
        with tenant_guard():  # looked at as strictly as can be: it will serve everybody
            query = self.make(*map(_Argument, range(count)))
            sql, values = db.get_sql_context().sql(query).query()
        made = self._made[db.param] = _Made(query, sql, values)
        return made


def _fill(gap: _Gap, values: tuple[Any, ...]) -> Any:
    value = values[gap.place]
    return gap.convert(value) if gap.convert else value


def made_once(make: Callable[..., ModelSelect]) -> Question:
    """Let a function that makes a query be asked as a `Question`."""
    ALL.append(question := Question(make))
    return question


ALL: list[Question] = []  # a test compares each with the plain way
