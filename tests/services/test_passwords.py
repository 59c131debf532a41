"""Passwords are stored as argon2id with the parameters chosen, a few worked on at once."""

import signal
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type

from services import passwords


def right(password, stored):
    with passwords.slot():
        return passwords.is_right(password, stored)


def test_a_hash_is_argon2id_with_19_mib_and_two_passes():
    parameters = extract_parameters(passwords.hash_password("korova"))
    assert (parameters.type, parameters.memory_cost) == (Type.ID, 19456)
    assert (parameters.time_cost, parameters.parallelism) == (2, 1)


def test_only_the_password_itself_is_right():
    stored = passwords.hash_password("Кот и йод")
    assert right("Кот и йод", stored)
    assert right("Кот и и\u0306од", stored), "keyboards differ in how they write «й»"
    assert not right("кот и йод", stored)
    assert not right("", stored)


@pytest.mark.parametrize("stored", [None, "", "not a hash", "$argon2id$v=19$m=1"])
def test_without_a_hash_nothing_is_right(stored):
    assert not right("anything", stored)


def test_a_password_beyond_the_longest_is_not_cut_into_a_right_one():
    stored = passwords.hash_password("x" * passwords.MAX_LENGTH)
    assert right("x" * passwords.MAX_LENGTH, stored)
    assert not right("x" * (passwords.MAX_LENGTH + 1), stored)


def test_a_weaker_hash_is_outdated():
    assert not passwords.is_outdated(passwords.hash_password("korova"))
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    assert passwords.is_outdated(weak.hash("korova"))


def test_an_absent_user_costs_the_same_work():
    assert not passwords.is_outdated(passwords.STAND_IN)


def test_made_up_passwords_differ_and_can_be_read_out():
    made = {passwords.make_up() for _ in range(200)}
    assert len(made) == 200
    for password in made:
        assert len(password) >= 12
        assert not set(password) & set("0O1lIoi5s2zmv")


def test_no_more_than_four_are_worked_on_at_once():
    lock, inside, most = Lock(), 0, 0

    def work(_n):
        nonlocal inside, most
        with passwords.slot():
            with lock:
                inside += 1
                most = max(most, inside)
            passwords.is_right("wrong", None)
            with lock:
                inside -= 1

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(work, range(24)))
    assert most <= 4


def test_signals_are_left_to_the_main_thread():
    """Else Ctrl-C would now and then miss the supervisor, which waits for it."""
    passwords.hash_password("korova-na-lugu")
    blocked = passwords._threads.submit(signal.pthread_sigmask, signal.SIG_BLOCK, ()).result()
    assert {signal.SIGINT, signal.SIGTERM, signal.SIGHUP} <= blocked
