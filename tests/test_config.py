"""Settings: a value that cannot be used is refused in one sentence that names it."""

import pytest

from config import Config, ConfigError


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("PORT", "many"),
        ("MAIL_TLS", "ssl"),
        ("MAIL_UNKNOWN", "perhaps"),
        ("TIME_ZONE", "Belarus"),
        ("PUBLIC_URL", "intranet/cabinet"),
        ("DEMO", "maybe"),
        ("CLOSED_DAYS", "abc"),
        ("CLOSED_DAYS", "1-32"),
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
        ("ORDERS_PER_HOUR", "0", 0),
        ("LEASE_S", "90", 90),
        ("DEMO", "no", False),
    ],
)
def test_a_good_value_is_taken(name, value, wanted):
    assert getattr(Config.from_env({f"CABINET_{name}": value}), name) == wanted
