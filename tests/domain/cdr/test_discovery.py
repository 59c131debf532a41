"""Which numbers of a file are our side."""

from domain.cdr.discovery import discover
from tests.domain.cdr.dialects import read, row, text


def found(*calls):
    """What is discovered among calls, each src, dst, channel, dstchannel, context."""
    names = ("src", "dst", "channel", "dstchannel", "dcontext")
    rows = [row(**dict(zip(names, call, strict=True))) for call in calls]
    return discover(read(text(*rows)))


def test_devices_that_call_under_their_own_name_are_ours():
    calls = [
        ("101", "102", "PJSIP/101-01", "SIP/102-0a", "from-internal"),
        ("103", "80291234567", "IAX2/103-12", "DAHDI/1-1", "from-internal"),
        ("104", "105", "SCCP/104-0001", "Local/105@x-01;1", "from-internal"),
    ]
    assert found(*calls) == ["101", "102", "103", "104"]


def test_names_and_full_numbers_are_taken_in_normal_form():
    assert found(("client1", "6789", "PJSIP/client1-00", "PJSIP/client2-01", "default")) == [
        "client1"
    ]
    assert found(("+375171234567", "1", "SIP/+375171234567-00", "", "x")) == ["375171234567"]


def test_a_trunk_is_not_ours_though_it_bears_a_number():
    calls = [
        ("101", f"8029123456{n}", "SIP/101-01", "SIP/375171234567-02", "from-internal")
        for n in range(5)
    ]
    calls.append(("101", "375171234567", "SIP/101-01", "SIP/375171234567-02", "from-internal"))
    assert found(*calls) == ["101"]


def test_a_device_by_which_calls_come_in_is_no_number_of_ours():
    call = ("375291234567", "101", "SIP/375291234567-01", "SIP/101-02", "from-trunk-a")
    assert found(call) == ["101"]


def test_an_extension_of_many_groups_stays_ours():
    calls = [("101", "102", "SIP/101-01", "SIP/102-02", "from-internal")] * 9
    calls += [("103", f"60{n}", "SIP/103-01", "SIP/102-02", "from-internal") for n in range(4)]
    assert found(*calls) == ["101", "102", "103"]
