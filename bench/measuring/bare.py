"""The floor of `bench/pages.py`: Flask, Jinja and sqlite3, and nothing of ours. A page as long as
the cabinet's, with the same rows out of the same table, as the tutorials of these write it.

`BARE` in the environment is JSON: the database, the client, rows on a page, bytes of the page.
"""

import json
import os
import sqlite3

from flask import Flask, g, request

PAGE = """<!doctype html>
<html lang="ru"><head><meta charset="utf-8"><title>{{ title }}</title></head>
<body><nav>{{ filler }}</nav>
<form method="post"><table><caption>{{ title }}: {{ found }}</caption>
{%- for row in rows %}
<tr><td><input type="hidden" name="shown" value="{{ row.id }}">
<input type="checkbox" name="tick" value="{{ row.id }}"></td>
<td>{{ row.number }}</td><td>{{ row.full_name }}<br><small>{{ row.plan }}</small></td>
<td>{{ row.status }}</td><td>{{ row.status_reason }}</td></tr>
{%- endfor %}
</table></form></body></html>
"""
FIND = "SELECT * FROM subscriber WHERE client_id = ? ORDER BY number, id LIMIT ? OFFSET ?"


def create_app() -> Flask:
    """For granian: `bench.measuring.bare:create_app`."""
    app = Flask(__name__)
    given = json.loads(os.environ["BARE"])
    app.jinja_env.autoescape = True
    template = app.jinja_env.from_string(PAGE)  # compiled once, as files are
    filler = ""

    def ask(sql: str, *values: object) -> list[sqlite3.Row]:
        if "base" not in g:
            g.base = sqlite3.connect(given["database"])
            g.base.row_factory = sqlite3.Row
        return g.base.execute(sql, values).fetchall()

    @app.teardown_appcontext
    def close(_error: BaseException | None) -> None:
        if (base := g.pop("base", None)) is not None:
            base.close()

    @app.route("/")
    @app.route("/<path:_path>")
    def page(_path: str = "") -> str:
        nonlocal filler
        size, start = given["rows"], (request.args.get("page", 1, type=int) - 1) * given["rows"]
        (found,) = ask("SELECT count(*) FROM subscriber WHERE client_id = ?", given["client"])[0]
        rows = ask(FIND, given["client"], size, start) if size else []
        text = template.render(title="Страница", found=found, rows=rows, filler=filler)
        if not filler:
            filler = "." * max(1, given["bytes"] - len(text.encode()))
        return text

    return app
