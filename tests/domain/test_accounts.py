"""Which addresses, logins and names can be."""

import pytest

from domain.accounts import check_email, check_login, check_name
from domain.errors import InvalidValue


@pytest.mark.parametrize(
    "address", ["a@b.by", "first.last+tag@mail.example.by", "cabinet@localhost", "x_y@a-b.by"]
)
def test_these_are_addresses(address):
    assert check_email(address) == address


@pytest.mark.parametrize(
    "address",
    ["", "@b.by", "a@", ".a@b.by", "a..b@c.by", "a@-b.by", "a@b..by", "a@b.by.", "a,b@c.by",
     '"a b"@c.by', "a@[127.0.0.1]", "a@b.by\n", "a\x00@b.by", "a@b.by;c@d.by"],
)  # fmt: skip
def test_these_are_not(address):
    with pytest.raises(InvalidValue):
        check_email(address)


def test_a_refused_value_stays_on_one_line_of_a_sentence():
    with pytest.raises(InvalidValue) as refused:
        check_login("a\nb\x1b[31m")
    assert refused.value.values["value"] == r"'a\nb\x1b[31m'"


def test_a_name_is_one_line_without_spaces_around_it():
    assert check_name("  ООО «Ромашка» ") == "ООО «Ромашка»"
    with pytest.raises(InvalidValue):
        check_name("ООО\n«Ромашка»")
