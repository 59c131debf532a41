"""Origins as browsers write them."""

import pytest

from blueprints.paths import origin_of


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Cab.by/cabinet", "https://cab.by"),
        ("https://cab.by:443/", "https://cab.by"),
        ("http://cab.by:80", "http://cab.by"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("http://cab.by@evil.example/", "http://evil.example"),
        ("", "://"),
    ],
)
def test_an_origin_has_no_default_port_and_no_path(url, origin):
    assert origin_of(url) == origin
