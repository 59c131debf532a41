"""Passwords that a person may and may not choose."""

import pytest

from domain.devices import device_name
from domain.errors import PasswordIsName, PasswordTooLong, PasswordTooShort, WeakPassword
from domain.new_passwords import check_new_password

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36"
)
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
)


@pytest.mark.parametrize(
    ("password", "error"),
    [
        ("", PasswordTooShort),
        ("ко-ро-в", PasswordTooShort),
        ("к" * 1025, PasswordTooLong),
        ("Password1", WeakPassword),
        ("ПАРОЛЬ123", WeakPassword),
        ("abababab", WeakPassword),
        ("23456789", WeakPassword),
        ("hgfedcba", WeakPassword),
        ("Anna.Kotova", PasswordIsName),
    ],
)
def test_what_is_tried_first_cannot_be_chosen(password, error):
    with pytest.raises(error):
        check_new_password(password, names=("anna.kotova", ""))


@pytest.mark.parametrize("password", ["корова-на-лугу", "aB3$efgh", "три слова подряд"])
def test_anything_else_can(password):
    assert check_new_password(password, names=("anna",)) == password


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (CHROME, "Chrome, Windows"),
        (CHROME + " Edg/131.0", "Edge, Windows"),
        (CHROME + " YaBrowser/24.10", "Yandex, Windows"),
        (SAFARI, "Safari, iPhone"),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
            "Firefox, Linux",
        ),
        ("curl/8.5.0", "curl/8.5.0"),
        ("x" * 300, "x" * 40),
        ("", ""),
    ],
)
def test_a_browser_is_named_as_a_person_names_it(said, shown):
    assert device_name(said) == shown
