"""`flask routes`: Flask's own list, and with `--json` one that also tells who may come in.

Flask looks at its own commands before the application's, so the application alone cannot replace
`routes`: the entry point of the group `flask.commands` that `bin/` writes into `.venv` does it.
"""

import json

import click
from flask import Flask, current_app
from flask.cli import routes_command, with_appcontext

from blueprints.guards import is_public, roles_of
from domain.roles import CLIENT_ROLES


def describe(app: Flask) -> list[dict[str, object]]:
    """One row a rule: endpoint, methods, rule, public, roles, scope (public, client, operator)."""
    rows = []
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, rule.endpoint)):
        view = app.view_functions[rule.endpoint]
        public = is_public(view, rule.endpoint)
        roles = frozenset() if public else roles_of(view)
        is_clients = bool(roles & CLIENT_ROLES)
        rows.append(
            {
                "endpoint": rule.endpoint,
                "methods": sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}),
                "rule": rule.rule,
                "public": public,
                "roles": sorted(role.value for role in roles),
                "scope": "public" if public else "client" if is_clients else "operator",
            }
        )
    return rows


@click.command("routes", help=routes_command.help, params=[*routes_command.params])
@click.option("--json", "as_json", is_flag=True, help="As JSON, with roles and scope of each.")
@with_appcontext
def command(*, as_json: bool, **options: object) -> None:
    """Show the routes; without `--json` exactly as Flask does."""
    if as_json:
        click.echo(json.dumps(describe(current_app), ensure_ascii=False, indent=1))
    else:
        click.get_current_context().invoke(routes_command, **options)
