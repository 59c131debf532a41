"""The cabinet inside a page of the intranet: `?embed=1` takes our name and foot away for the rest
of the visit, for the page around has its own. The menu stays. `?embed=0` brings them back.
"""

from flask import Flask, request
from flask import session as visit

from blueprints.sessions import EMBEDDED


def remember() -> None:
    """Take note of what the address asks for."""
    asked = request.args.get("embed")
    if asked == "1" and not visit.get(EMBEDDED):
        visit[EMBEDDED] = True
    elif asked == "0" and EMBEDDED in visit:
        del visit[EMBEDDED]


def is_embedded() -> bool:
    """Whether the page is drawn for a frame. A tab of its own shares the visit and says that it is
    one: there the page stands alone and is whole.
    """
    in_a_tab = request.headers.get("Sec-Fetch-Dest") == "document"
    return bool(visit.get(EMBEDDED)) and not in_a_tab


def init_app(app: Flask) -> None:
    """Tell the layout. The guard of each request remembers."""
    app.jinja_env.globals["is_embedded"] = is_embedded
