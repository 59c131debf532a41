"""Links in letters, and the page that asks for one when a password is forgotten."""

from datetime import timedelta

import pytest

from domain.roles import Role
from models import AuditEvent, Notice, User, UserSession, db
from models_access import AccessLink, Attempt
from services import access_links, attempts, clock, letter_links, passwords
from services.transactions import write_tx
from tests.factories import make_client, make_user
from tests.page import Browser

PASSWORD = "korova-na-lugu"
NEW = "три слова подряд"


@pytest.fixture
def user(base):
    return make_user(make_client(), login="ivanov", password=PASSWORD, email="i@romashka.by")


@pytest.fixture
def hands(monkeypatch):
    """Moves the clock on: `hands(minutes=31)`."""
    start = clock.now()
    moment = [start]
    monkeypatch.setattr(clock, "now", lambda: moment[0])

    def move(**passed):
        moment[0] = start + timedelta(**passed)

    return move


def ask(anonymous, login="ivanov", **more):
    return anonymous.post("auth.links.forgotten", {"login": login}, **more)


def link():
    letter = Notice.select().where(Notice.link_seed != "").order_by(Notice.id.desc()).get()
    return letter.link_path + letter_links.token_of(letter.link_seed)


def choose(browser, address, new=NEW, **more):
    return browser.post(address, {"new": new, "again": new}, **more)


def is_now(user, password):
    with passwords.slot():
        return passwords.is_right(password, User.get_by_id(user.id).password_hash)


def test_the_sign_in_page_leads_to_it(anonymous):
    page = anonymous.get("auth.login")
    assert page.select_one("main form a").text == "Забыли пароль?"
    page = anonymous.get(page.select_one("main form a")["href"])
    assert [label.text for label in page.select("main label")] == ["Логин"]


def test_a_forgotten_password_is_set_anew_behind_the_link(app, anonymous, user):
    there = Browser(app, user)
    ask(anonymous, " Ivanov ")
    assert "мы отправили туда письмо" in anonymous.follow().text
    letter = Notice.get()
    assert (letter.kind, letter.recipient) == ("password_reset", "i@romashka.by")
    page = anonymous.get(link())
    assert "ivanov" in page.text
    choose(anonymous, link())
    assert anonymous.response.location == "/login"
    assert is_now(user, NEW)
    there.get("account.show", status=401)
    assert not UserSession.select().exists()
    told = Notice.get(Notice.kind == "access_told")
    assert (told.recipient, told.words["what"]) == ("i@romashka.by", "password_reset")
    event = AuditEvent.get(AuditEvent.event == "password_set")
    assert (event.user, event.detail) == (user, {"how": "reset", "sessions_ended": 1})


def test_looking_does_not_use_a_link_up_and_choosing_does(app, anonymous, user):
    ask(anonymous)
    address = link()
    for _ in range(5):
        assert anonymous.client.head(address).status_code == 200
        anonymous.get(address)
    choose(anonymous, address)
    for _ in range(2):
        assert "больше не действует" in Browser(app).get(address, status=410).text
    choose(Browser(app), address, "другие слова подряд", status=410)
    assert is_now(user, NEW)


def test_a_refused_password_does_not_use_a_link_up(anonymous, user):
    ask(anonymous)
    page = choose(anonymous, link(), "password1", status=422)
    assert "подбирают одним из первых" in page.select_one("[role=alert]").text
    choose(anonymous, link())


def test_only_the_hash_of_a_token_is_kept(anonymous, user):
    ask(anonymous)
    token = link().rpartition("/")[2]
    kept = str(list(AccessLink.select().dicts())) + str(list(Notice.select().dicts()))
    assert len(token) == 43
    assert token not in kept
    assert letter_links.hash_of(token) in kept


def test_its_time_is_half_an_hour(anonymous, user, hands):
    ask(anonymous)
    hands(minutes=29, seconds=59)
    anonymous.get(link())
    hands(minutes=30)
    choose(anonymous, link(), status=410)
    assert is_now(user, PASSWORD)
    assert Notice.get().expires_at == AccessLink.get().expires_at, "no letter goes that is too late"


def test_a_newer_letter_replaces_the_older(app, anonymous, user):
    ask(anonymous)
    old = link()
    ask(anonymous)
    anonymous.get(old, status=410)
    anonymous.get(link())


def test_setting_it_voids_all_other_links(app, anonymous, user):
    signed_in = Browser(app, user)
    signed_in.post("auth.own.address", {"email": "evil@example.by", "password": PASSWORD})
    other = link()
    ask(anonymous)
    choose(anonymous, link())
    anonymous.get(other, status=410)


def test_a_changed_password_voids_links_asked_for_with_the_one_before(app, anonymous, user):
    thief = Browser(app, user)
    thief.post("auth.own.address", {"email": "evil@example.by", "password": PASSWORD})
    to_thief = link()
    ask(anonymous)
    to_owner = link()
    fields = {"password": PASSWORD, "new": NEW, "again": NEW}
    Browser(app, user).post("auth.own.password", fields)
    for address in (to_thief, to_owner):
        anonymous.get(address, status=410)


def test_a_new_address_voids_links_that_went_to_the_old_mailbox(app, anonymous, user):
    ask(anonymous)
    to_old = link()
    Browser(app, user).post("auth.own.address", {"email": "anna@lotos.by", "password": PASSWORD})
    elsewhere = Browser(app)
    elsewhere.get(link())
    elsewhere.post(link())
    anonymous.get(to_old, status=410)


def test_the_answer_is_the_same_whoever_it_is(app, user):
    make_user(user.client, login="closed", password=PASSWORD, email="c@x.by", is_active=False)
    make_user(user.client, login="silent", password=PASSWORD)
    make_user(user.client, login="invited", email="v@x.by")
    answers = set()
    for login in ("ivanov", "closed", "silent", "invited", "nobody", "x" * 3000, "а б"):
        browser = Browser(app)
        ask(browser, login)
        location = browser.response.location
        page = browser.follow()
        answers.add((location, page.main.text))
    assert len(answers) == 1
    assert [letter.recipient for letter in Notice.select()] == ["i@romashka.by"]
    assert [each.user for each in AccessLink.select()] == [user]
    assert AuditEvent.select().where(AuditEvent.event == "password_reset_asked").count() == 7


def test_the_work_is_the_same_whoever_it_is(app, user, monkeypatch):
    """As many statements for a login that is there as for one that is not."""
    counts = []
    run = db.obj.execute_sql

    def counting(*args, **more):
        counts[-1] += 1
        return run(*args, **more)

    monkeypatch.setattr(db.obj, "execute_sql", counting)
    browser = Browser(app)
    browser.token()
    for login in ("ivanov", "nobody"):
        counts.append(0)
        ask(browser, login)
    assert abs(counts[0] - counts[1]) <= 2, counts  # back to a savepoint


def test_three_letters_an_hour_and_no_word_about_it(anonymous, user, hands):
    for _ in range(5):
        ask(anonymous)
        assert "мы отправили туда письмо" in anonymous.follow().text
    assert Notice.select().count() == 3
    hands(hours=1, seconds=1)
    ask(anonymous)
    assert Notice.select().count() == 4


def test_who_asks_without_end_is_told_to_wait(anonymous, user):
    now = clock.now()
    with write_tx():
        for n in range(30):
            attempts.note(attempts.AttemptKind.RESET, f"hash{n}", ip="127.0.0.1", now=now)
    for login in ("ivanov", "nobody"):
        page = ask(anonymous, login, status=429)
        assert int(page.headers["Retry-After"]) > 0
    assert not Notice.select().exists()


def test_an_own_address_holds_once_it_is_confirmed(app, user):
    browser = Browser(app, user)
    browser.post("auth.own.address", {"email": "anna@lotos.by", "password": PASSWORD})
    page = browser.follow()
    assert "a***@l***.by" in page.text
    assert "lotos" not in page.text
    assert User.get_by_id(user.id).email == "i@romashka.by"
    elsewhere = Browser(app)
    page = elsewhere.get(link())
    assert "a***@l***.by" in page.text
    elsewhere.post(link())
    assert User.get_by_id(user.id).email == "anna@lotos.by"
    told = Notice.get(Notice.kind == "access_told")
    assert (told.recipient, told.words["what"]) == ("i@romashka.by", "address_changed")
    elsewhere.get(link(), status=410)


@pytest.mark.parametrize(
    ("email", "password", "said"),
    [
        ("anna", PASSWORD, "name@example.by"),
        ("i@romashka.by", PASSWORD, ""),
        ("anna@lotos.by", "wrong", "Неверный пароль"),
        ("", PASSWORD, "Введите адрес"),
    ],
)
def test_an_address_that_cannot_be_is_refused(app, user, email, password, said):
    browser = Browser(app, user)
    fields = {"email": email, "password": password}
    page = browser.post("auth.own.address", fields, status=422)
    assert said in page.select_one("[role=alert]").text
    assert page.select_one("#email")["value"] == email
    assert not Notice.select().exists()


def test_the_operators_people_can_reset_too(app, anonymous, base):
    make_user(role=Role.CLERK, login="clerk", password=PASSWORD, email="clerk@operator.by")
    ask(anonymous, "clerk")
    page = anonymous.get(link())
    assert "Организация" not in page.text
    choose(anonymous, link())


def test_links_and_attempts_are_swept_when_they_count_no_more(anonymous, user, hands):
    ask(anonymous)
    hands(hours=23)
    assert (access_links.sweep(now=clock.now()), attempts.sweep(now=clock.now())) == (0, 0)
    hands(days=31)
    assert (access_links.sweep(now=clock.now()), attempts.sweep(now=clock.now())) == (1, 1)
    assert not Attempt.select().exists()
