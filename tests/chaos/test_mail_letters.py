"""What leaves for the mail server, read as it came in there: nobody's words become headers, nothing
of what is inside can be read from outside, and what is too large goes as a link.
"""

import email.policy
from email import message_from_bytes
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup

from domain.orders import OrderState
from models import Artefact, Client, Mail, Subscriber
from services import artefacts, clock
from tests.chaos.post import Post
from tests.factories import NOON, make_call
from tests.smtp_sink import LATER_451, OK, SmtpSink

EVIL = "evil@example.com"
LINE_ENDS = ("\r\n", "\n", "\r", "\n\n", "\r\n\r\n", "\r\r\n", "\v", "\f", "\x1c", "\x1d", "\x1e")
LINE_ENDS += ("\x85", "\u2028", "\u2029", "\x01\r\n", "%0d%0a", "\\r\\n", "=?utf-8?q?=0D=0A?=")
INJECTIONS = [f"x{end}Bcc: {EVIL}" for end in LINE_ENDS] + [
    f"\r\nReply-To: {EVIL}\r\n",
    f"x\r\n\tBcc: {EVIL}",
    f'x"\r\nContent-Disposition: inline; filename="{EVIL}',
    f"x\r\nContent-Type: text/html\r\n\r\n<a href='mailto:{EVIL}'>",
    f"x\r\n.\r\nMAIL FROM:<{EVIL}>\r\nRCPT TO:<{EVIL}>\r\nDATA\r\n",
    f"x>\r\nRCPT TO:<{EVIL}",
    f"=?utf-8?b?DQpCY2M6IGV2aWxAZXhhbXBsZS5jb20=?= {EVIL}",
]
HEADERS = ["From", "To", "Subject", "Date", "Auto-Submitted", "Message-ID", "MIME-Version"]


@pytest.fixture
def post(app, base, monkeypatch):
    with SmtpSink() as sink:
        yield Post(app, sink, monkeypatch)


def arrived(post):
    """The one letter that the server has accepted, parsed."""
    (taken,) = post.sink.accepted
    return message_from_bytes(taken.content, policy=email.policy.default)


def test_there_are_as_many_injections_as_were_asked_for():
    assert len(INJECTIONS) == 25


@pytest.mark.parametrize("text", INJECTIONS, ids=repr)
def test_names_from_outside_become_no_header(post, client_row, text):
    """Of the client, of subscribers, of the other side: they stand in the file alone."""
    client_row.name = text
    client_row.save()
    order = post.place(client=client_row, email="somebody@romashka.by")
    subscriber = Subscriber.of(client_row).get()
    Subscriber.update(full_name=text).where(Subscriber.id == subscriber.id).execute()
    make_call(subscriber, NOON, peer=text)
    assert post.carry(order).state == OrderState.SENT
    letter = arrived(post)
    assert [name for name in letter if name != "Content-Type"] == HEADERS
    assert post.sink.accepted[0].recipients == ("somebody@romashka.by",)
    for part in letter.walk():
        for name, value in part.items():
            assert EVIL not in value, name
        assert not part.defects
    assert post.sink.commands == ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]


@pytest.mark.parametrize("text", INJECTIONS, ids=repr)
@pytest.mark.parametrize("place", ["address", "sender's name"])
def test_an_address_with_more_in_it_sends_nothing(post, text, place):
    """There is no Reply-To in our letters: the sender's address is where an answer goes."""
    if place == "sender's name":
        post.change(MAIL_FROM=f"Связь{text} <lk@romashka.by>")
    order = post.place(email=f"buh{text}@romashka.by" if place == "address" else "b@romashka.by")
    after = post.carry(order)
    if after.state == OrderState.SENT:  # words that look like line ends and are none
        assert place == "sender's name"
        assert [name for name in arrived(post) if name != "Content-Type"] == HEADERS
        return
    assert not post.sink.taken
    assert EVIL not in "".join(post.sink.commands)
    assert (after.state, after.reason) == (OrderState.FAILED, "mail_address_refused")


def test_a_line_end_in_the_name_of_a_file_sends_nothing(post, monkeypatch):
    order = post.place()
    monkeypatch.setattr("services.reports._display_name", lambda *_: f"x\r\nBcc: {EVIL}.xlsx")
    assert post.carry(order).state == OrderState.FAILED
    assert not post.sink.taken


def test_a_file_above_the_limit_goes_as_a_link_that_its_owner_can_open(
    post, browser, stranger, client_row
):
    assert not client_row.may_download  # what is too large can be fetched all the same
    post.change(MAIL_ATTACHMENT_LIMIT_MB=0)
    order = post.place(client=client_row)
    assert post.carry(order).state == OrderState.SENT
    letter = arrived(post)
    assert not list(letter.iter_attachments())
    assert len(post.sink.accepted[0].content) < 20_000
    page = BeautifulSoup(letter.get_body(("html",)).get_content(), "html.parser")
    (link,) = {a["href"] for a in page.select("a") if order.key in a["href"]}
    card = browser.get(urlsplit(link).path)
    file = card.select_one("#card a[download]")["href"]
    browser.get(file)
    whole = (artefacts.folder() / Artefact.get().path).read_bytes()
    assert browser.response.data == whole
    stranger.get(file, status=404)


def test_nothing_of_what_is_inside_is_told_outside(post):
    """Subject and bodies are read on lock screens and by every server on the way."""
    order = post.place(email="somebody@romashka.by", made_at=clock.now())
    client = Client.get_by_id(order.client_id)
    subscriber = Subscriber.of(client).get()
    Subscriber.update(full_name="Канарейкина Анна").where(Subscriber.id == subscriber.id).execute()
    Client.update(name="ООО «Канарейка»").where(Client.id == client.id).execute()
    make_call(subscriber, NOON, peer="375339876543")
    post.carry(order)
    letter = arrived(post)
    bodies = [letter.get_body((kind,)).get_content() for kind in ("plain", "html")]
    secrets = ["Канарей", subscriber.number, "375339876543", "9876543", client.account_no]
    for text in (str(letter["Subject"]), *bodies):
        for secret in secrets:
            assert secret not in text
    (attachment,) = letter.iter_attachments()
    assert "Канарей" not in attachment.get_filename()


def test_a_second_copy_can_be_told_by_its_id_and_a_machine_by_its_header(post):
    post.sink.mode = LATER_451
    order = post.place()
    post.carry(order)
    post.sink.mode = OK
    post.wait(order)
    post.carry(order)
    first, second = post.sink.taken
    assert first.content == second.content
    letter = arrived(post)
    assert letter["Message-ID"] == Mail.get().message_id
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Date"].datetime == NOON  # when it was written, not when it was tried again
