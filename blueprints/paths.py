"""Addresses of our own: what may stand in `next`, and which page a form was sent from."""

import re
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

from flask import current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import IntegerConverter, Map

_PLAIN = re.compile(r"/(?!/)[!-\[\]-~]*")  # ASCII without space and backslash, one slash first
_MAX_LENGTH = 2000
_NEVER = ("/login", "/logout")
GREATEST_ID = 2**63 - 1  # of a row, in either database


class RowNumber(IntegerConverter):
    """`<int:…>` in a rule: a number beyond what a row can have leads nowhere, as one of none."""

    def __init__(self, url_map: Map, *args: Any, **more: Any) -> None:
        super().__init__(url_map, *args, **{"max": GREATEST_ID, **more})


def row_id(text: str) -> int:
    """The id of a row in a form; `ValueError` for what none can have."""
    number = int(text)
    if not 0 < number <= GREATEST_ID:
        raise ValueError(text)
    return number


def full_path() -> str:
    """Path and query of this request, with the prefix."""
    path = quote(request.script_root + request.path, safe="/%:@!$&'()*+,;=~-._")
    query = request.query_string.decode("ascii", "ignore")
    return f"{path}?{query}" if query else path


def local_path(target: str) -> str | None:
    """`target` when it is a page of ours, below our prefix, that one can be sent to; else None."""
    if len(target) > _MAX_LENGTH or not _PLAIN.fullmatch(target):
        return None
    path = urlsplit(target).path
    root = request.script_root
    if not (path == root or path.startswith(root + "/")) or "//" in path:
        return None
    inside = path[len(root) :] or "/"
    if ".." in unquote(inside).split("/") or inside in _NEVER:
        return None
    return target


def origin_of(url: str) -> str:
    """Scheme, host and port of an address as browsers write an origin: no default port."""
    parts = urlsplit(url)
    host, _, port = parts.netloc.lower().rpartition("@")[2].partition(":")
    default = {"http": "80", "https": "443"}.get(parts.scheme)
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != default else "")


def own_origins() -> set[str]:
    """Where our pages come from: the public address, and the one this request was sent to."""
    return {origin_of(current_app.config["CABINET"].public_url), origin_of(request.host_url)}


def own_referrer() -> SplitResult | None:
    """The page that the browser says it comes from, when it is ours."""
    named = request.referrer or ""
    try:
        return urlsplit(named) if origin_of(named) in own_origins() else None
    except ValueError:  # no address at all, as a host in half a bracket
        return None


def page_of_form() -> str | None:
    """The page that a form was sent from: its own address when that can be fetched, else the page
    the browser names, when it is ours.
    """
    if can_be_fetched(request.path):
        return full_path()
    if (referrer := own_referrer()) is None:
        return None
    target = referrer.path + (f"?{referrer.query}" if referrer.query else "")
    return local_path(target)


def can_be_fetched(path: str) -> bool:
    """Whether there is a page at a path (without our prefix)."""
    adapter = current_app.create_url_adapter(request)
    try:
        return adapter is not None and bool(adapter.match(path, method="GET"))
    except HTTPException:
        return False
