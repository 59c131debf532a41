"""Deeds about access that two people, or one with two clicks, do at the same moment."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from domain.errors import AlreadyExists, LoginTaken
from domain.roles import Role
from models import User, db
from models_access import SecondFactor
from services import accounts, cabinet_users, clock, second_factor
from services.audit import By
from services.cabinet_users import Person
from tests import factories
from tests.apps import another_app

MANY = 8


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with another_app(tmp_path_factory.mktemp("at-once")) as made:
        yield made


def at_once(app, deed):
    """What each of many who do it at the same time gets: an error by its class."""

    def do(n):
        with app.app_context(), db.connection_context():
            try:
                return deed(n)
            except (LoginTaken, AlreadyExists) as error:
                return type(error)

    with ThreadPoolExecutor(MANY) as pool:
        return list(pool.map(do, range(MANY)))


def test_many_clicks_begin_one_second_factor(app):
    user = factories.make_user()
    at_once(app, lambda _n: second_factor.begin(user, now=clock.now()).id)
    assert SecondFactor.select().where(SecondFactor.user == user).count() == 1


def test_of_companies_that_invite_one_login_at_once_one_gets_it_and_the_others_are_told(app):
    inviters = [factories.make_user() for _ in range(MANY)]
    person = Person("petrov", "petrov@example.by", Role.VIEWER)

    def invite(n):
        by = By(now=clock.now(), user=inviters[n])
        return cabinet_users.invite(inviters[n].client, person, by=by).login

    assert Counter(at_once(app, invite)) == {"petrov": 1, LoginTaken: MANY - 1}
    assert User.select().where(User.login == "petrov").count() == 1


def test_of_commands_that_add_one_login_at_once_one_does(app):
    client = factories.make_client()

    def add(_n):
        return accounts.add_user(
            login="sidorov", role=Role.VIEWER, client=client, password="x", now=clock.now()
        )[0].login

    assert Counter(at_once(app, add)) == {"sidorov": 1, AlreadyExists: MANY - 1}
