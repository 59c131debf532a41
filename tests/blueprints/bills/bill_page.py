"""What tests of the two items that order invoices share."""

from datetime import date

from services import clock

MARCH = date(2026, 3, 1)


def stop_clock(monkeypatch, moment, browser=None):
    """Let it be that moment; whoever is signed in signs in again."""
    monkeypatch.setattr(clock, "now", lambda: clock.local(moment))
    if browser is not None:
        browser.sign_in(browser.user)


def labelled(page, words):
    """The control with this label, to the letter."""
    label = next(
        each for each in page.main.select("label") if each.text.replace("\xa0", " ") == words
    )
    return page.find(id=label["for"])


def ticked(page):
    return [each["value"] for each in page.select("input[name=documents][checked]")]


def forms(page):
    """Hidden fields of each form of the page's own."""
    return [
        {field["name"]: field["value"] for field in form.select("input[type=hidden]")}
        for form in page.main.select("form[method=post]")
    ]


def send(browser, endpoint, documents, *, status=303, file_format="pdf", **values):
    """Fill in a form as the page has it, and send it."""
    if "form_key" not in values:
        found = forms(browser.get(endpoint))
        values["form_key"] = found[0]["form_key"] if found else "0" * 24
    data = {"documents": documents, "file_format": file_format, **values}
    return browser.post(endpoint, data, status=status)
