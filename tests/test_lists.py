"""Every list by an address that asks for a page there is not: a page of it, and no error."""

import pytest

from tests.security import world
from tests.security.test_hostile_texts import NOT_PAGES


@pytest.mark.parametrize("who", ["client", "operator"])
def test_a_page_that_there_is_not_is_one_that_there_is(app, base, who):
    made = world.build(app)
    browser, lists = made.browser(who), 0
    for endpoint, address in made.pages(who):
        if endpoint in NOT_PAGES:
            continue
        before = browser.client.get(address, buffered=True)
        if "Страница 1 из" not in before.text:
            continue
        lists += 1
        for number in ("999999", "0", "-1", "nine"):
            joined = f"{address}{'&' if '?' in address else '?'}page={number}"
            answer = browser.client.get(joined, buffered=True)
            assert answer.status_code == 200, joined
    world.clear(app)
    assert lists >= {"client": 5, "operator": 2}[who]
