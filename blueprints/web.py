"""What every page is made of: the menu, the page or fragment of htmx, addresses of static files.

Who may see a page is decided in `guards.py`; the words stand in the templates.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import (
    Flask,
    Response,
    current_app,
    g,
    make_response,
    render_template,
    request,
    url_for,
)

YEAR_S = 365 * 24 * 3600


@dataclass(frozen=True)
class MenuItem:
    """One line of the menu. `title` and `about` (the source document's paragraph) are msgids;
    `counter` says how much is new there for whoever has signed in.
    """

    title: str
    endpoint: str
    children: tuple["MenuItem", ...] = ()
    about: str = ""
    counter: Callable[[], int] | None = None
    beside: tuple[str, ...] = ()  # other blueprints whose pages belong to this line

    @property
    def blueprint(self) -> str:
        """Name of the blueprint whose pages belong to this line."""
        return self.endpoint.rpartition(".")[0]

    def has(self, page: str) -> bool:
        """Whether the pages of a blueprint belong to this line."""
        return page == self.blueprint or page in self.beside


@dataclass(frozen=True)
class MenuLine:
    """A menu item as it stands on the page that is being drawn."""

    item: MenuItem
    url: str
    is_current: bool
    lines: tuple["MenuLine", ...]
    count: int = 0


def menu_lines(items: Iterable[MenuItem]) -> Iterator[MenuLine]:
    """Lines for the page of this request; the one whose blueprint answers is the current one."""
    for item in items:
        yield MenuLine(
            item,
            url_for(item.endpoint),
            _is_current(item),
            tuple(menu_lines(item.children)),
            _count(item),
        )


def _count(item: MenuItem) -> int:
    """What is new there. A page about a failure asks the database for as little as it can."""
    return item.counter() if item.counter and g.get("page_status", 200) < 500 else 0


def _is_current(item: MenuItem) -> bool:
    """Whether the page belongs to this line: it is of its blueprint, or of one below that has no
    line of its own.
    """
    page = request.blueprint or ""
    below = page.startswith(f"{item.blueprint}.")
    return item.has(page) or (below and not any(child.has(page) for child in item.children))


def wants_fragment() -> bool:
    """Whether htmx 4 asks for a part of the page; going back in the history asks for the whole."""
    return (
        request.headers.get("HX-Request-Type") == "partial"
        and request.headers.get("HX-History-Restore-Request") != "true"
    )


def render_section(template: str, status: int = 200, **context: object) -> Response:
    """Draw a page: only its content when htmx asks for that, the whole document for all others.

    With status 422 the title begins with «Ошибка: » and the focus belongs to the error summary.
    """
    g.page_status = status
    layout = "layouts/fragment.html" if wants_fragment() else "layouts/page.html"
    return make_response(render_template(template, layout=layout, **context), status)


def has_errors() -> bool:
    """Whether the page being drawn is a form that was sent back."""
    return g.get("page_status") == 422


def title_takes_focus() -> bool:
    """Whether `<h1>` takes the focus: in fragments only, and not from an error summary."""
    return wants_fragment() and not has_errors()


def page_window(page: int, pages: int) -> list[int | None]:
    """Numbers for a pager: first, last and the neighbours of `page`; None stands for a gap.

    >>> page_window(5, 25)
    [1, None, 4, 5, 6, None, 25]
    """
    near = sorted({1, pages, *(n for n in (page - 1, page, page + 1) if 1 <= n <= pages)})
    window: list[int | None] = []
    for number in near:
        if window and number - (window[-1] or 0) == 2:
            window.append(number - 1)
        elif window and number - (window[-1] or 0) > 2:
            window.append(None)
        window.append(number)
    return window


@cache
def _content_hash(path: Path, _mtime_ns: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def static_url(filename: str) -> str:
    """Address of a static file, with its content's hash: it can be kept for a year."""
    path = Path(current_app.static_folder or "") / filename
    return url_for("static", filename=filename, v=_content_hash(path, path.stat().st_mtime_ns))


def keep_static(response: Response) -> Response:
    """Say of a static file asked for by its content's hash that it may be kept."""
    if request.endpoint == "static" and response.status_code == 200 and "v" in request.args:
        response.cache_control.no_cache = None
        response.cache_control.public = True
        response.cache_control.max_age = YEAR_S
        response.cache_control.immutable = True
    return response


def init_app(app: Flask) -> None:
    """Give templates what the layouts need."""
    app.jinja_env.globals.update(
        static_url=static_url,
        page_window=page_window,
        has_errors=has_errors,
        title_takes_focus=title_takes_focus,
    )
    app.after_request(keep_static)
