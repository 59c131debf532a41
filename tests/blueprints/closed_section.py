"""What a page of a section that is not open yet owes its reader."""

MEANWHILE = "Раздел пока не открыт: "


def check_closed_section(browser, endpoint, title, about=""):
    """Its name, the source's words about it, a sentence of advice, and nothing to press in vain."""
    page = browser.get(endpoint)
    assert page.title.text.startswith(f"{title} – ")
    assert page.h1.text == title
    assert page.select_one("#menu a[aria-current=page]").text == title
    main = page.main
    if about:
        assert main.p.text == about
    notice = main.select_one(".alert").text
    assert notice.startswith(MEANWHILE)
    assert len(notice) > len(MEANWHILE) + 20
    assert not main.select("button, input, select, textarea")
    assert [link.text for link in main.select("a")] == ["В меню"]
    browser.get(main.a["href"])
