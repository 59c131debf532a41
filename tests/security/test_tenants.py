"""Hundreds of ways at another client's rows, made up from the list of routes: each is answered like
a row that does not exist, changes nothing and is written down.
"""

import random
import re
import string
from collections import Counter
from contextvars import Context
from dataclasses import dataclass, field

import pytest

from commands.routes import describe
from domain.orders import OrderState
from domain.roles import Role
from models import OrderDraft, Subscriber
from services import clock
from tests import factories
from tests.page import HTMX, Browser
from tests.security import world
from tests.security.tables import dump, refusals

KEY_SIGNS = string.ascii_letters + string.digits + "-_"
ELSEWHERE = "198.51.100.7"  # not this machine, which may see the try-out mailbox
BUTTONS = (
    "submit",
    "check",
    "continue",
    "search",
    "match_all",
    "page_all",
    "clear",
    "p2",
    "period",
)
HEADERS = (
    {},
    HTMX,
    {"HX-Request": "true"},
    {**HTMX, "HX-History-Restore-Request": "true"},
    {"Range": "bytes=0-9"},
    {"Accept": "text/html,*/*;q=0.8"},
    {"If-None-Match": "*", "If-Modified-Since": "Mon, 23 Nov 2026 00:00:00 GMT"},
    {"X-Forwarded-For": "127.0.0.1", "X-Original-URL": "/orders/"},
)
DIFFERENT_EACH_TIME = (
    (r'name="csrf_token"[^>]*', ""),
    (r"(Код ошибки: )[0-9a-f]{8}", r"\1"),
)


@dataclass
class Attempt:
    """One request that names a row of somebody else's, and the same with a row of nobody's."""

    kind: str
    method: str
    rule: str
    theirs: str  # what stands in the address, or among the ticks
    nobodys: str
    subject: str  # what the refusal is written down with
    headers: dict = field(default_factory=dict)
    form: dict = field(default_factory=dict)


class Attacker:
    """An administrator or accountant of another client, with a draft and an order of their own."""

    def __init__(self, app, victim, chance):
        self.chance, self.victim = chance, victim
        client = factories.make_client(may_download=True)
        role = chance.choice((Role.CLIENT_ADMINISTRATOR, Role.ACCOUNTANT))
        self.browser = Browser(app, factories.make_user(client, role=role))
        self.own = factories.make_subscriber(client)
        day = clock.now().date().isoformat()
        self.draft = OrderDraft.create(
            client=client, user=self.browser.user, kind="call_detail", key="own-draft-of-mine",
            answers={
                "period": {"start": [day], "end": [day], **world.ANSWERS}, "view": {"size": 20},
            },
            created_at=clock.now(),
        )  # fmt: skip
        factories.make_order(client, [self.own], user=self.browser.user)
        self.rows = [row for row in describe(app) if "<" in row["rule"]]

    def attempts(self, count):
        """Ways at the victim's rows: mostly by the key in an address."""
        kinds = ("key", "key", "key", "key", "number", "tick", "operator", "mailbox")
        return [getattr(self, f"_{self.chance.choice(kinds)}")() for _ in range(count)]

    def _key(self):
        """The key of an order, a draft, a bill or a request, in whatever address takes one."""
        row = self._route("client", holding="<key>")
        rows = (
            *self.victim.orders,
            *self.victim.drafts,
            self.victim.invoice,
            self.victim.thread,
        )
        target = self.chance.choice(rows)
        subject = f"{target._meta.table_name}:{target.id}"
        nobodys = "".join(self.chance.choices(KEY_SIGNS, k=len(target.key)))
        return self._attempt("key", row, target.key, nobodys, subject)

    def _number(self):
        """A number of the victim's by its id, or one of its calls."""
        rows = [
            r
            for r in self.rows
            if r["scope"] == "client"
            and "<int:subscriber>" in r["rule"]
            and "<key>" not in r["rule"]
        ]
        row = self.chance.choice(rows)
        target = self.chance.choice(self.victim.numbers)
        return self._attempt("number", row, str(target.id), "987654", f"subscriber:{target.id}")

    def _operator(self):
        """A page of the operator's: closed whatever it names."""
        row = self._route("operator")
        if "<key>" in row["rule"]:
            theirs, nobodys = self.chance.choice(self.victim.orders).key, "n" * 16
        else:
            theirs, nobodys = str(self.victim.run.id), "987654"
        return self._attempt("operator", row, theirs, nobodys, "")

    def _mailbox(self):
        """A letter of the try-out mailbox."""
        row = self._route("public", "mailbox.")
        return self._attempt("mailbox", row, str(self.victim.letter), "987654", "")

    def _tick(self):
        """A number of the victim's, ticked in a draft of one's own."""
        rows = [row for row in self.rows if ".call_detail." in row["endpoint"]]
        row = self.chance.choice([row for row in rows if "subscribers" in row["rule"]])
        target = self.chance.choice(self.victim.numbers)
        attempt = self._attempt(
            "tick", {**row, "methods": ["POST"]}, str(target.id), "987654",
            f"subscriber:{target.id}",
        )  # fmt: skip
        attempt.form.pop("typed", None)  # kept in the draft: that is what it is for
        attempt.form["go"] = self.chance.choice(("search", "page_all", "submit", "page_none"))
        return attempt

    def _route(self, scope, start="", holding="<"):
        return self.chance.choice(
            [
                r
                for r in self.rows
                if r["scope"] == scope and r["endpoint"].startswith(start) and holding in r["rule"]
            ]
        )

    def _attempt(self, kind, row, theirs, nobodys, subject):
        methods = [*row["methods"], *(["HEAD"] if "GET" in row["methods"] else [])]
        attempt = Attempt(kind, self.chance.choice(methods), row["rule"], theirs, nobodys, subject)
        attempt.headers = self.chance.choice(HEADERS)
        if attempt.method == "POST":
            attempt.form = self._form()
        return attempt

    def _form(self):
        day = clock.now().date().isoformat()
        number = self.chance.choice(self.victim.numbers)
        return {
            "csrf_token": self.browser.token(),
            "start": day, "end": day, "direction": "both", "file_format": "csv",
            "go": self.chance.choice(BUTTONS),
            "client_id": self.victim.client.id, "user_id": self.victim.user.id,
            **self.chance.choice(({}, {"typed": number.number}, {"shown": number.id})),
        }  # fmt: skip

    def send(self, attempt, target):
        """The answer to an attempt at `target`, with nothing of one request left for the next."""
        form = dict(attempt.form)
        if attempt.kind == "tick":
            address = attempt.rule.replace("<key>", self.draft.key)
            form |= {"shown": target, "tick": target}
        else:
            more = "|subscriber" if attempt.kind == "key" else ""
            address = re.sub(f"<int:(part|started|seq|file{more})>", "1", attempt.rule)
            asked = "<key>" if "<key>" in address else "<[^>]+>"
            address = re.sub(asked, target, address, count=1)
            address = re.sub("<int:[^>]+>", "1", address)
        return Context().run(
            self.browser.client.open,
            address,
            method=attempt.method,
            headers=attempt.headers,
            data=form or None,
            environ_overrides={"REMOTE_ADDR": ELSEWHERE},
            buffered=True,
        )


def shown(response, target):
    """Status, headers and body without what differs each time, and without what was asked for."""
    key = target if len(target) > 5 else "no such text"  # an id is in no answer at all
    body = response.get_data(as_text=True).replace(key, "KEY")
    for pattern, instead in DIFFERENT_EACH_TIME:
        body = re.sub(pattern, instead, body)
    headers = {k: v.replace(key, "KEY") for k, v in response.headers}
    for name in ("X-Error-Code", "Content-Length"):
        headers.pop(name, None)
    return response.status_code, headers, body


@pytest.fixture
def stopped_clock(monkeypatch):
    """Pages tell the time: it must not be what tells two of them apart."""
    moment = clock.now()
    monkeypatch.setattr(clock, "now", lambda: moment)


@pytest.fixture
def victim(app, base, stopped_clock):
    """A client with orders in every state, drafts, files, an import and a letter."""
    made = world.build(app)
    made.numbers = list(Subscriber.select().where(Subscriber.client == made.client))
    made.orders = [made.order]
    for n, state in enumerate(OrderState):
        order = factories.make_order(
            made.client, made.numbers, user=made.user, state=state, key=f"Order-{n}_of-victim"
        )
        world.add_file(app, order, "Детализация.xlsx")
        made.orders.append(order)
    made.drafts = [made.draft]
    yield made
    world.clear(app)


EXPECTED = {
    "key": {404},
    "number": {404},
    "mailbox": {404},
    "operator": {403},
    "tick": {200, 303, 422},
}


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(n, marks=pytest.mark.long) for n in range(2, 7))]
)
def test_another_clients_rows_are_rows_that_do_not_exist(app, victim, length, seed):
    attacker = Attacker(app, victim, random.Random(seed))  # noqa: S311 - to be repeated
    before, asked = dump(), Counter()
    for n, attempt in enumerate(attacker.attempts(length(short=150, long=500)), 1):
        known = len(refusals())
        theirs = attacker.send(attempt, attempt.theirs)
        written = refusals()[known:]
        assert written == [(attacker.browser.user.id, attempt.subject)], attempt
        nobodys = attacker.send(attempt, attempt.nobodys)
        assert theirs.status_code in EXPECTED[attempt.kind], attempt
        assert shown(theirs, attempt.theirs) == shown(nobodys, attempt.nobodys), attempt
        if n % 10 == 0:
            assert dump() == before, (n, attempt)
        asked[attempt.kind, theirs.status_code] += 1
    assert set(EXPECTED) == {kind for kind, _status in asked}
    print(f"seed {seed}:", dict(asked))  # noqa: T201 - a figure
