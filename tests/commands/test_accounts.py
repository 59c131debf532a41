"""`flask client`, `flask user` and `flask routes`, as an administrator types them."""

import json
import re
from datetime import timedelta

import pytest
from click.testing import CliRunner
from flask.cli import FlaskGroup, routes_command

from commands import routes
from domain.roles import Role
from models import AuditEvent, Client, Notice, User, UserSession
from models_access import AccessLink, SecondFactor
from services import access_links, clock, passwords
from services.access_links import LinkKind
from services.transactions import write_tx
from tests import factories
from tests.apps import another_app
from tests.page import Browser

CLIENT = ["client", "add", "ООО «Ромашка»", "--account", "00012", "--unp", "190000001",
          "--email", "buh@romashka.by"]  # fmt: skip


@pytest.fixture
def own_app(tmp_path):
    with another_app(tmp_path) as app:
        yield app


@pytest.fixture
def flask(own_app):
    """Run a command and return its exit status and what it said."""
    runner = own_app.test_cli_runner()

    def run(*arguments, typed=None):
        result = runner.invoke(args=list(arguments), input=typed)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.output

    return run


def may_sign_in(login, password):
    user = User.across_clients().where(User.login == login).get()
    with passwords.slot():
        return passwords.is_right(password, user.password_hash)


def test_a_client_gets_call_details_at_the_address_of_the_connection_application(flask):
    assert flask(*CLIENT, "--detail-email", "cdr@romashka.by") == (0, "client: 00012\n")
    client = Client.get()
    assert (client.invoice_email, client.detail_email) == ("buh@romashka.by", "cdr@romashka.by")
    assert AuditEvent.get().event == "client_added"


def test_without_it_they_go_where_invoices_go(flask):
    flask(*CLIENT)
    assert Client.get().detail_email == "buh@romashka.by"


def test_a_known_account_is_refused_with_status_1(flask):
    flask(*CLIENT)
    assert flask(*CLIENT) == (1, "Error: account 00012: there is one already\n")
    assert Client.select().count() == 1


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--unp", "19000000"),
        ("--unp", "1900000012"),
        ("--unp", "19000000a"),
        ("--unp", "１９００００００１"),
        ("--email", "romashka.by"),
        ("--email", "a@b@c.by"),
        ("--email", "buh@romashka.by\nBcc: x@evil.example"),
        ("--email", "buh@romashka.by\r"),
        ("--email", "buh @romashka.by"),
        ("--email", "<buh@romashka.by>"),
        ("--email", "бух@romashka.by"),
        ("--email", "a@" + "b" * 300),
        ("--detail-email", "no"),
        ("--account", "00 12"),
        ("--account", ""),
    ],
)
def test_a_bad_value_is_one_sentence_and_status_2(flask, option, value):
    status, said = flask(*CLIENT, option, value)
    assert status == 2
    assert re.fullmatch(r"Error: [^\n]+ cannot be used\n", said)
    assert not Client.select().exists()


@pytest.mark.parametrize(
    ("arguments", "role"),
    [
        (["--client", "00012", "--role", "administrator"], Role.CLIENT_ADMINISTRATOR),
        (["--client", "00012", "--role", "accountant"], Role.ACCOUNTANT),
        (["--client", "00012", "--role", "viewer"], Role.VIEWER),
        (["--operator", "--role", "administrator"], Role.OPERATOR_ADMINISTRATOR),
        (["--operator", "--role", "clerk"], Role.CLERK),
    ],
)
def test_a_user_gets_a_password_that_can_be_read_out(flask, arguments, role):
    flask(*CLIENT)
    status, said = flask("user", "add", "Ivanov", *arguments)
    assert status == 0
    password = re.fullmatch(r"password: (\S{12,})\n", said).group(1)
    assert not set(password) & set("0O1lIo")
    assert may_sign_in("ivanov", password)
    assert User.across_clients().get().role == role


def test_a_password_can_come_from_the_input(flask):
    arguments = ("user", "add", "clerk", "--operator", "--role", "clerk", "--password-stdin")
    assert flask(*arguments, typed="korova-na-lugu\n") == (0, "")
    assert may_sign_in("clerk", "korova-na-lugu")


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["petrov", "--client", "999", "--role", "viewer"], 1, "account 999: there is none"),
        (["IVANOV", "--client", "00012", "--role", "viewer"], 1, "login ivanov: there is one"),
        (["petrov", "--client", "00012", "--role", "clerk"], 2, "'clerk' is not one of"),
        (["petrov", "--operator", "--role", "viewer"], 2, "'viewer' is not one of"),
        (["petrov", "--role", "viewer"], 2, "either --client ACCOUNT or --operator"),
        (["petrov", "--client", "00012", "--operator", "--role", "administrator"], 2, "either"),
        (["a b", "--operator", "--role", "clerk"], 2, "login"),
        (["petrov", "--operator", "--role", "clerk", "--password-stdin"], 2, "8 to 1024"),
    ],
)
def test_a_user_that_cannot_be_is_refused(flask, arguments, status, sentence):
    flask(*CLIENT)
    flask("user", "add", "ivanov", "--client", "00012", "--role", "viewer")
    answered, said = flask("user", "add", *arguments, typed="short\n")
    assert answered == status
    assert sentence in said
    assert User.across_clients().count() == 1


def test_a_new_password_ends_all_sessions(flask, own_app):
    user = factories.make_user(login="ivanov", password="the-old-one")
    browser = Browser(own_app, user)
    status, said = flask("user", "password", "ivanov")
    assert status == 0
    assert may_sign_in("ivanov", said.removeprefix("password: ").strip())
    assert not may_sign_in("ivanov", "the-old-one")
    assert not UserSession.select().exists()
    browser.get("home.show", status=401)
    assert flask("user", "password", "nobody") == (1, "Error: login nobody: there is none\n")


def test_routes_tell_role_and_scope(flask):
    status, said = flask("routes", "--json")
    assert status == 0
    rows = {row["endpoint"]: row for row in json.loads(said)}
    assert rows["auth.login"]["scope"] == "public"
    assert rows["home.show"]["roles"] == ["accountant", "client-administrator", "viewer"]
    assert rows["operator.retry"] == {
        "endpoint": "operator.retry",
        "methods": ["POST"],
        "rule": "/operator/orders/<key>/retry",
        "public": False,
        "roles": ["clerk", "operator-administrator"],
        "scope": "operator",
    }


def test_plain_routes_are_flasks_own(flask, own_app):
    with own_app.app_context():
        plain = own_app.test_cli_runner().invoke(routes_command, ["--sort", "rule"])
    assert flask("routes", "--sort", "rule")[1] == plain.output


def test_as_a_plugin_routes_takes_the_place_of_flasks_own(own_app):
    """What `bin/` does through an entry point, for Flask asks its own commands first."""
    group = FlaskGroup(create_app=lambda: own_app)
    group.add_command(routes.command, "routes")
    result = CliRunner().invoke(group, ["routes", "--json"])
    assert json.loads(result.output)


def test_who_is_disabled_is_out_at_once_and_can_be_let_in_again(flask, own_app):
    user = factories.make_user(login="ivanov", password="korova-na-lugu")
    browser = Browser(own_app, user)
    assert flask("user", "change", "Ivanov", "--disable") == (0, "changed: sign-in\n")
    browser.get("home.show", status=401)
    assert not user.sessions.count()
    assert flask("user", "change", "ivanov", "--disable") == (
        0,
        "changed: nothing, it was so already\n",
    )
    assert flask("user", "change", "ivanov", "--enable") == (0, "changed: sign-in\n")
    Browser(own_app, user).get("home.show")
    assert [event.detail for event in AuditEvent.select().where(AuditEvent.event == "user_changed")]


def test_a_cut_role_counts_from_the_next_click(flask, own_app):
    user = factories.make_user(login="ivanov")
    browser = Browser(own_app, user)
    browser.get("bills.call_detail.start")
    assert flask("user", "change", "ivanov", "--role", "viewer") == (0, "changed: role\n")
    browser.get("bills.call_detail.start", status=403)
    browser.get("orders.index")


def test_a_role_of_the_other_side_is_refused(flask):
    factories.make_user(login="ivanov")
    status, said = flask("user", "change", "ivanov", "--role", "clerk")
    assert (status, "'clerk' is not one of administrator" in said) == (2, True)
    status, said = flask("user", "change", "ivanov")
    assert (status, "Nothing to change" in said) == (2, True)


def test_all_sessions_of_a_user_can_be_ended(flask, own_app):
    user = factories.make_user(login="ivanov")
    browsers = [Browser(own_app, user) for _ in range(3)]
    assert flask("user", "sign-out", "ivanov") == (0, "sessions ended: 3\n")
    for browser in browsers:
        browser.get("home.show", status=401)


def test_an_own_address_is_named_and_the_one_before_is_told(flask):
    arguments = ("--operator", "--role", "clerk", "--email", "old@operator.by")
    assert flask("user", "add", "petrov", *arguments)[0] == 0
    assert User.across_clients().get().email == "old@operator.by"
    assert flask("user", "email", "petrov", "new@operator.by") == (0, "changed\n")
    assert User.across_clients().get().email == "new@operator.by"
    assert [letter.recipient for letter in Notice.across_clients()] == ["old@operator.by"]
    status, said = flask("user", "email", "petrov", "not an address")
    assert (status, "e-mail" in said) == (2, True)


@pytest.mark.parametrize(
    ("kind", "command"),
    [
        (LinkKind.INVITATION, ("password", "ivanov")),
        (LinkKind.ADDRESS, ("password", "ivanov")),
        (LinkKind.RESET, ("change", "ivanov", "--disable")),
        (LinkKind.RESET, ("email", "ivanov", "new@romashka.by")),
    ],
)
def test_a_link_in_a_letter_does_not_outlive_what_the_operator_sets(flask, own_app, kind, command):
    user = factories.make_user(login="ivanov", email="old@romashka.by")
    with own_app.app_context(), write_tx():
        week = timedelta(days=7)
        link = access_links.make(kind, user, user.email, lifetime=week, now=clock.now())
    assert flask("user", *command)[0] == 0
    assert AccessLink.get_by_id(link.id).closed_at


def test_a_lost_telephone_is_taken_off(flask):
    user = factories.make_user(login="ivanov")
    SecondFactor.create(user=user, key="k", created_at=factories.NOON, confirmed_at=factories.NOON)
    assert flask("user", "factor-off", "ivanov") == (0, "removed\n")
    assert not SecondFactor.select().exists()
    assert flask("user", "factor-off", "ivanov") == (0, "there was none\n")
