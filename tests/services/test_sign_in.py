"""Signing in under a burst: the delay holds when many guess at the same moment."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from domain.errors import TooManySignIns, WrongCredentials
from models import SignInFailure, User, db
from services import accounts, passwords, sign_in, throttle
from services.transactions import write_tx
from tests import factories
from tests.apps import another_app
from tests.factories import NOON


def guess(number, password="wrong"):  # noqa: S107 - not a secret
    visitor = sign_in.Visitor(f"10.0.0.{number}", "tests")
    with db.connection_context():
        try:
            sign_in.sign_in("ivanov", password, visitor=visitor, secret="s", hours=8, now=NOON)
        except (WrongCredentials, TooManySignIns) as refused:
            return type(refused)
    return None


def test_forty_guesses_at_once_do_not_pass_the_limit_by_one(tmp_path, monkeypatch):
    with another_app(tmp_path):
        factories.make_user(login="ivanov", password="korova-na-lugu")
        looked_at = []
        monkeypatch.setattr(passwords, "is_right", lambda *_: looked_at.append(1))
        with ThreadPoolExecutor(40) as pool:
            answers = list(pool.map(guess, range(40)))
        assert len(looked_at) == throttle.BY_ACCOUNT
        assert SignInFailure.select().count() == len(looked_at)
        assert answers.count(TooManySignIns) == 40 - len(looked_at)


def test_the_owner_can_sign_in_many_times_at_once(tmp_path, monkeypatch):
    with another_app(tmp_path):
        user = factories.make_user(login="ivanov", password="korova-na-lugu")
        monkeypatch.setattr(passwords, "is_right", lambda *_: True)
        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda n: guess(n, "korova-na-lugu"), range(20)))
        assert answers == [None] * 20
        assert user.sessions.count() == 20


def test_neither_login_nor_password_is_kept_of_a_refusal(base):
    factories.make_user(login="ivanov", password="korova-na-lugu")
    with pytest.raises(WrongCredentials):
        sign_in.sign_in(
            "ivanov", "secret-typed", visitor=sign_in.Visitor("10.0.0.1", "x"), secret="s",
            hours=8, now=NOON,
        )  # fmt: skip
    kept = str(list(SignInFailure.select().dicts()))
    assert "ivanov" not in kept
    assert "secret-typed" not in kept
    assert User.across_clients().get().last_sign_in_at is None


def test_nobody_signs_in_as_the_system(base):
    with write_tx():
        accounts.system_user(now=NOON)
    for password in ("", "x", "system"):
        with pytest.raises(WrongCredentials):
            sign_in.sign_in(
                "system", password, visitor=sign_in.Visitor("10.0.0.1", "x"), secret="s",
                hours=8, now=NOON,
            )  # fmt: skip
