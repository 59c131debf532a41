"""Inside a page of the intranet: our name and foot go, the menu stays, for the whole visit."""

import pytest

from config import Config, ConfigError
from tests import factories
from tests.apps import another_app
from tests.page import Browser

IN_A_TAB = {"Sec-Fetch-Dest": "document"}


def is_bare(page):
    assert bool(page.select_one("footer")) is ("Оператор связи" in page.header.text)
    return not page.select("footer")


def test_a_page_stands_alone_unless_asked(browser):
    assert not is_bare(browser.get("/bills/"))
    assert not is_bare(browser.get("/bills/?embed=yes"))


def test_a_framed_page_keeps_its_menu_for_the_rest_of_the_visit(browser):
    assert is_bare(browser.get("/bills/?embed=1"))
    page = browser.get("/payments/")
    assert is_bare(page)
    assert page.select_one("nav#menu").find("a", string="Счета")
    assert page.select_one("#ctx .company")
    assert not is_bare(browser.get("/bills/?embed=0"))
    assert not is_bare(browser.get("/payments/"))


def test_a_tab_beside_the_frame_shows_the_whole_page(browser):
    browser.get("/bills/?embed=1")
    assert not is_bare(browser.get("/payments/", headers=IN_A_TAB))
    assert is_bare(browser.get("/payments/", headers={"Sec-Fetch-Dest": "iframe"}))


def test_signing_in_and_out_stays_in_the_frame(anonymous, client_row):
    factories.make_user(client_row, login="ivanov", password="korova-na-lugu")
    anonymous.get("/bills/?embed=1", status=303)
    assert is_bare(anonymous.get("/login"))
    anonymous.post("auth.login", {"login": "ivanov", "password": "korova-na-lugu"})
    assert is_bare(anonymous.get("/bills/"))
    anonymous.post("auth.logout")
    assert is_bare(anonymous.get("/login"))


def test_a_fragment_is_the_same_in_a_frame(browser):
    browser.get("/bills/?embed=1")
    assert browser.get("/bills/", htmx=True).select_one("nav#menu")


@pytest.mark.parametrize(
    "ancestors",
    ["https://a.by; script-src *", "a.by", "javascript:x", "*", "https://a.by,https://b"],
)
def test_a_setting_that_opens_more_than_frames_is_refused(ancestors):
    with pytest.raises(ConfigError, match="CABINET_FRAME_ANCESTORS"):
        Config(FRAME_ANCESTORS=ancestors)


def test_cookies_work_in_a_frame_of_the_same_site_and_of_another_by_setting(tmp_path):
    named = {"PUBLIC_URL": "https://cab.intranet.by", "FRAME_ANCESTORS": "https://intranet.by"}
    for embed, same_site in ((False, "SameSite=Lax"), (True, "SameSite=None")):
        with another_app(tmp_path / str(embed), EMBED=embed, **named) as app:
            browser = Browser(app)
            browser.get("/login?embed=1")
            headers = browser.response.headers
            assert same_site in headers["Set-Cookie"]
            assert ("Partitioned" in headers["Set-Cookie"]) is embed
            assert headers["Content-Security-Policy"].endswith(
                "frame-ancestors https://intranet.by"
            )
            assert "X-Frame-Options" not in headers
