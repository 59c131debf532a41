"""Settings: a value that cannot be used is refused in one sentence that names it."""

import pytest

from config import DEMO_OPERATOR, Config, ConfigError


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("PORT", "many"),
        ("MAIL_TLS", "ssl"),
        ("MAIL_UNKNOWN", "perhaps"),
        ("TIME_ZONE", "Belarus"),
        ("PUBLIC_URL", "intranet/cabinet"),
        ("PUBLIC_URL", "https:///cabinet"),
        ("PUBLIC_URL", "https://cab.by:many"),
        ("PUBLIC_URL", "https://[cab.by"),
        ("PUBLIC_URL", "https://cab.by/?from=mail"),
        ("UPLOAD_MB", "-1"),
        ("DEMO", "maybe"),
        ("CLOSED_DAYS", "abc"),
        ("CLOSED_DAYS", "1-32"),
        ("CLOSED_DAYS", "3-1"),
        ("CLOSED_DAYS", "1-31"),
        ("CLOSED_DAYS", "same"),
        ("CLOSED_DAYS_EMAIL_BILL", "Monday"),
        ("INVOICE_WAIT_DAYS", "0"),
        ("CALL_DETAIL_MONTHS_BACK", "-1"),
        ("LEASE_S", "0"),
        ("LEASE_S", "89"),
        ("ARTEFACT_DAYS", "0"),
        ("CLOCK", "+60"),
        ("OPERATOR_IBAN", "BY14NBRB3600900000002Z00AB00"),
        ("OPERATOR_BIC", "bank"),
        ("INVOICE_DUE_DAY", "31"),
        ("CRASH_AT", "order.sending"),
    ],
)
def test_a_bad_value_is_named(name, value):
    with pytest.raises(ConfigError, match=f"CABINET_{name}"):
        Config.from_env({f"CABINET_{name}": value})


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("CLOSED_DAYS", "", ""),
        ("CLOSED_DAYS", "2", "2"),
        ("CLOSED_DAYS", "1-3,28-31", "1-3,28-31"),
        ("CLOSED_DAYS_EMAIL_BILL", "", ""),
        ("ORDERS_PER_HOUR", "0", 0),
        ("LEASE_S", "90", 90),
        ("DEMO", "no", False),
    ],
)
def test_a_good_value_is_taken(name, value, wanted):
    assert getattr(Config.from_env({f"CABINET_{name}": value}), name) == wanted


@pytest.mark.parametrize(
    ("settings", "email", "download"),
    [
        ({}, {1, 2, 3}, {1, 2, 3}),
        ({"CLOSED_DAYS": "5"}, {5}, {5}),
        ({"CLOSED_DAYS": ""}, set(), set()),
        ({"CLOSED_DAYS_DOWNLOAD_BILL": ""}, {1, 2, 3}, set()),
        ({"CLOSED_DAYS": "5", "CLOSED_DAYS_EMAIL_BILL": "7-8"}, {7, 8}, {5}),
    ],
)
def test_each_item_has_closed_days_of_its_own(settings, email, download):
    config = Config(**settings)
    assert config.closed_days("email_bill").days == email
    assert config.closed_days("download_bill").days == download
    assert not any(config.closed_days(each).days for each in ("delivery", "call_detail", "charges"))


def test_the_demos_operator_has_requisites_until_somebody_gives_some():
    demo = Config.from_env({})
    assert all(getattr(demo, name) == value for name, value in DEMO_OPERATOR.items())
    digits = [int(digit) for digit in demo.OPERATOR_UNP]
    weights = (29, 23, 19, 17, 13, 7, 5, 3)
    assert sum(n * w for n, w in zip(digits, weights, strict=False)) % 11 == digits[8]
    assert Config.from_env({"CABINET_OPERATOR_UNP": "100000007"}).OPERATOR_IBAN == ""
    assert Config.from_env({"CABINET_DEMO": "0"}).OPERATOR_UNP == ""


def test_who_listens_on_ipv6_says_by_which_name_people_come():
    with pytest.raises(ConfigError, match="CABINET_PUBLIC_URL says by which name"):
        Config(HOST="::")
    assert Config(HOST="::", PUBLIC_URL="http://cabinet:8000").public_url == "http://cabinet:8000"
