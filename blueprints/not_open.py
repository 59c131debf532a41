"""A section that is not open yet: what it will be for, and what to do until then.

One page for all of them. A section that opens replaces its call by pages of its own.
"""

from flask import Response

from blueprints.web import MenuItem, render_section


def not_open_page(item: MenuItem, meanwhile: str) -> Response:
    """The page of `item`; `meanwhile` is a msgid: one sentence."""
    return render_section("not_open.html", item=item, meanwhile=meanwhile)
