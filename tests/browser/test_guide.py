"""The pictures of docs/ru, taken anew from the demo. Small enough to lie in the repository."""

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.run.conftest import ROOT

PICTURES = ROOT / "docs" / "ru" / "img"
WIDTH, HEIGHT = 1280, 860
LARGEST = 150_000
CLIENT_PICTURES = {
    "payments": "/payments/",
    "charges": "/bills/charges/",
    "call-centre": "/call-centre/",
    "security": "/security/",
}
OPERATOR_PICTURES = {
    "operator": "/operator/",
    "import": "/operator/imports/",
    "billing": "/operator/billing/",
}


def take(page, name, *, whole=False):
    """The window, or what of the page's own part is in it; few colours are enough for either."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    path = PICTURES / f"{name}.png"
    clip = None if whole else part_in_sight(page)
    page.screenshot(path=path, clip=clip, caret="initial")  # the policy refuses a hidden one
    with Image.open(path) as taken:
        fewer = taken.convert("RGB").quantize(64)
    fewer.save(path, optimize=True)
    assert path.stat().st_size <= LARGEST, name


def part_in_sight(page):
    box = page.locator("main").bounding_box()
    top = max(box["y"], 0)
    height = min(box["y"] + box["height"], HEIGHT) - top
    return {"x": box["x"], "y": top, "width": box["width"], "height": height}


def take_order(page):
    page.goto("/bills/call-detail/")
    take(page, "period")
    page.get_by_role("button", name="Далее").click()
    page.locator("#picker").wait_for()
    page.locator("input[name=tick]").first.check()
    expect(page.locator("main")).to_contain_text("Выбрано: 1")
    take(page, "subscribers")
    page.get_by_role("button", name="Сформировать детализацию").click()
    expect(page.locator("#card")).to_contain_text("Отправлен", timeout=60_000)
    take(page, "order")


def take_bill(page):
    page.goto("/bills/")
    table = page.get_by_role("heading", name="Выставленные счета")
    table.evaluate("heading => heading.scrollIntoView()")
    take(page, "bills")
    page.locator("main table a").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Счет №")
    take(page, "bill")
    page.get_by_role("link", name="Что изменилось", exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Что изменилось")
    take(page, "changes")


@pytest.mark.long
def test_the_guide_has_its_pictures(visit):
    page = visit("demo", width=WIDTH, height=HEIGHT)
    take(page, "home", whole=True)
    take_bill(page)
    for name, path in CLIENT_PICTURES.items():
        page.goto(path)
        take(page, name)
    take_order(page)
    page = visit("operator", width=WIDTH, height=HEIGHT)
    for name, path in OPERATOR_PICTURES.items():
        page.goto(path)
        take(page, name, whole=name == "operator")
    assert sum(path.stat().st_size for path in PICTURES.glob("*.png")) <= 1_500_000
