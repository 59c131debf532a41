"""A person at a running cabinet, by its words and without scripts: real HTTP, real cookies."""

from http.cookiejar import CookieJar
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, build_opener

from bs4 import BeautifulSoup


class Person:
    """Opens pages, follows links and presses buttons; `page` is the page last seen."""

    def __init__(self, address):
        self.url = address
        self.page = None
        self._opener = build_opener(HTTPCookieProcessor(CookieJar()))

    def open(self, path, data=None):
        """Go to an address, as the browser's address line or a form does."""
        with self._send(path, data) as answer:
            self.url = answer.url
            self.page = BeautifulSoup(answer.read(), "html.parser")
        return self.page

    def post(self, path, data):
        """Send a form and only tell where that leads; may be called from several threads."""
        with self._send(path, data) as answer:
            return answer.url

    def fetch(self, path):
        """The answer to a link that is no page: a file."""
        return self._send(path, None)

    def _send(self, path, data):
        body = None if data is None else urlencode(data).encode()
        return self._opener.open(urljoin(self.url, path), body, timeout=60)

    def follow(self, words):
        """Click a link."""
        link = next(a for a in self.page.select("main a, #menu a") if a.text.strip() == words)
        return self.open(link["href"])

    def press(self, words, **answers):
        """Press a button of a form, with these fields changed; a list ticks boxes."""
        button = next(b for b in self.page.select("button") if b.text.strip() == words)
        form = button.find_parent("form")
        data = [pair for pair in fields(form) if pair[0] not in answers]
        for name, value in answers.items():
            data += [(name, each) for each in (value if isinstance(value, list) else [value])]
        if button.get("name"):
            data.append((button["name"], button["value"]))
        return self.open(form["action"], data)

    def sign_in(self, login, password):
        self.open("/login")
        return self.press("Войти", login=login, password=password)


def fields(form):
    """(name, value) of a form as it stands."""
    for field in form.select("input[name], select[name], textarea[name]"):
        if field.name == "textarea":
            yield field["name"], field.text.removeprefix("\n").removeprefix("\r\n")
        elif field.name == "select":
            chosen = field.select_one("option[selected]") or field.select_one("option")
            yield field["name"], chosen.get("value", chosen.text)
        elif field.get("type") not in ("checkbox", "radio") or field.has_attr("checked"):
            yield field["name"], field.get("value", "")
