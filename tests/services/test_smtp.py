"""Our conversation with a mail server: against a real one, and against one that misbehaves."""

import socket
import ssl
from dataclasses import replace

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from services import smtp
from services.smtp import DeliveryUnknown, MailRefused
from tests import smtp_sink
from tests.smtp_sink import SELF_SIGNED, SmtpSink
from texts import FAILURES

MESSAGE = b"Subject: one\r\n\r\n.a dot first\r\n..two\r\nthe last line\r\n"


@pytest.fixture
def sink():
    with SmtpSink() as server:
        yield server


@pytest.fixture
def settings(app, monkeypatch):
    """Change settings of mail for one test."""

    def change(host="localhost", **values):
        config = replace(app.config["CABINET"], MAIL_SERVER=host, **values)
        monkeypatch.setitem(app.config, "CABINET", config)

    with app.app_context():
        yield change


@pytest.fixture
def message(tmp_path):
    path = tmp_path / "mail-1.eml"
    path.write_bytes(MESSAGE)
    return path


@pytest.fixture
def send(sink, settings, message):
    """Send the message through the sink as it behaves now."""

    def submit(before_data=lambda: None, **values):
        settings(MAIL_PORT=sink.port, **{"MAIL_TIMEOUT_S": 1, **values})
        return smtp.submit(message, recipient="buh@romashka.by", before_data=before_data)

    return submit


def test_the_frozen_bytes_arrive_as_they_are(sink, send):
    assert send() == "250 2.0.0 queued as 1"
    (taken,) = sink.accepted
    assert taken.content == MESSAGE
    assert (taken.sender, taken.recipients) == ("cabinet@localhost", ("buh@romashka.by",))


# mode → code of the refusal, and whether it is final
REFUSALS = {
    smtp_sink.HANG_BANNER: ("mail_unreachable", False),
    smtp_sink.BUSY_421: ("mail_unreachable", False),
    smtp_sink.DROP_IN_DATA: ("mail_unreachable", False),
    smtp_sink.HANG_IN_DATA: ("mail_unreachable", False),
    smtp_sink.LATER_451: ("mail_refused", False),
    smtp_sink.LATER_450_ADDRESS: ("mail_refused", False),
    smtp_sink.NO_ADDRESS_550: ("mail_address_refused", True),
    smtp_sink.TOO_LARGE_552: ("mail_too_large", True),
    smtp_sink.REFUSED_554: ("mail_refused", True),
}


@pytest.mark.parametrize("mode", REFUSALS)
def test_a_refusal_says_why_and_whether_to_try_again(sink, send, message, mode):
    if mode in (smtp_sink.DROP_IN_DATA, smtp_sink.HANG_IN_DATA):
        message.write_bytes(MESSAGE * 200_000)  # more than the sockets hold: a cut is noticed
    sink.mode = mode
    with pytest.raises(MailRefused) as refused:
        send(MAIL_TIMEOUT_S=1 if mode.startswith("hang") else 20)
    assert (refused.value.code, refused.value.permanent) == REFUSALS[mode]
    assert refused.value.code in FAILURES
    assert refused.value.reply
    assert not sink.accepted


@pytest.mark.parametrize(
    "mode",
    [smtp_sink.DROP_AFTER_DATA, smtp_sink.HANG_AFTER_DATA, smtp_sink.NONSENSE_AFTER_DATA],
)
def test_no_answer_to_a_whole_message_leaves_its_fate_unknown(sink, send, mode):
    sink.mode = mode
    with pytest.raises(DeliveryUnknown):
        send()
    assert [taken.content for taken in sink.taken] == [MESSAGE]


@pytest.mark.parametrize("mode", [smtp_sink.DROP_ON_QUIT, smtp_sink.HANG_ON_QUIT])
def test_what_happens_at_the_goodbye_does_not_matter(sink, send, mode):
    sink.mode = mode
    assert send().startswith("250")
    assert len(sink.accepted) == 1


def test_nobody_listening_is_no_answer(sink, settings, message):
    sink.__exit__()
    settings(MAIL_PORT=sink.port, MAIL_TIMEOUT_S=1)
    with pytest.raises(MailRefused) as refused:
        smtp.submit(message, recipient="buh@romashka.by", before_data=lambda: None)
    assert (refused.value.code, refused.value.permanent) == ("mail_unreachable", False)


def test_the_last_check_comes_right_before_the_message_and_can_stop_it(sink, send):
    class LeaseLost(Exception):
        pass

    seen = []

    def check():
        seen.extend(sink.commands)
        raise LeaseLost

    with pytest.raises(LeaseLost):
        send(before_data=check)
    assert seen == ["EHLO", "MAIL", "RCPT"]
    assert "DATA" not in sink.commands
    assert not sink.taken


def test_a_file_that_is_not_there_is_no_fault_of_the_server(settings, sink, tmp_path):
    settings(MAIL_PORT=sink.port)
    with pytest.raises(FileNotFoundError):
        smtp.submit(tmp_path / "no.eml", recipient="a@b.by", before_data=lambda: None)


def test_a_wrong_password_can_be_mended_by_the_operator(sink, send):
    sink.mode = smtp_sink.AUTH_FAIL
    with pytest.raises(MailRefused) as refused:
        send(MAIL_USERNAME="cabinet", MAIL_PASSWORD="wrong")
    assert (refused.value.code, refused.value.permanent) == ("mail_rejected_sign_in", False)
    assert "MAIL" not in sink.commands


def test_an_address_beyond_ascii_needs_a_server_that_takes_it(sink, settings, message):
    settings(MAIL_PORT=sink.port, MAIL_TIMEOUT_S=1)
    with pytest.raises(MailRefused) as refused:
        smtp.submit(message, recipient="бух@romashka.by", before_data=lambda: None)
    assert (refused.value.code, refused.value.permanent) == ("mail_address_refused", True)


def test_a_russian_domain_is_sent_in_its_ascii_form(sink, settings, message):
    settings(MAIL_PORT=sink.port, MAIL_TIMEOUT_S=1)
    smtp.submit(message, recipient="buh@пример.испытание", before_data=lambda: None)
    assert sink.accepted[0].recipients == ("buh@xn--e1afmkfd.xn--80akhbyknj4f",)


# --- TLS ------------------------------------------------------------------------------------------


@pytest.fixture
def tls_sink():
    with SmtpSink(certificate=SELF_SIGNED) as server:
        yield server


@pytest.mark.parametrize(
    "mode", [smtp_sink.OK, smtp_sink.NO_STARTTLS, smtp_sink.STARTTLS_454], ids=str
)
def test_nothing_leaves_over_a_connection_that_is_not_safe(tls_sink, settings, message, mode):
    tls_sink.mode = mode  # "ok": a certificate nobody vouches for
    settings(MAIL_PORT=tls_sink.port, MAIL_TLS="starttls", MAIL_TIMEOUT_S=2)
    with pytest.raises(MailRefused) as refused:
        smtp.submit(message, recipient="buh@romashka.by", before_data=lambda: None)
    assert (refused.value.code, refused.value.permanent) == ("mail_insecure", False)
    assert not tls_sink.taken
    assert "MAIL" not in tls_sink.commands


def test_a_certificate_of_another_host_is_refused(tls_sink, settings, message):
    settings(
        MAIL_PORT=tls_sink.port,
        MAIL_TLS="starttls",
        MAIL_CA_FILE=str(SELF_SIGNED),
        MAIL_TIMEOUT_S=2,
        host="127.0.0.1",  # the certificate names "localhost"
    )
    with pytest.raises(MailRefused) as refused:
        smtp.submit(message, recipient="buh@romashka.by", before_data=lambda: None)
    assert refused.value.code == "mail_insecure"
    assert not tls_sink.taken


def test_a_certificate_we_were_told_to_trust_is_enough(tls_sink, settings, message):
    settings(MAIL_PORT=tls_sink.port, MAIL_TLS="starttls", MAIL_CA_FILE=str(SELF_SIGNED))
    smtp.submit(message, recipient="buh@romashka.by", before_data=lambda: None)
    assert tls_sink.accepted[0].tls


def test_a_missing_file_of_certificates_is_told(tls_sink, settings, message):
    settings(MAIL_PORT=tls_sink.port, MAIL_TLS="starttls", MAIL_CA_FILE="/nowhere/ca.pem")
    with pytest.raises(MailRefused, match="MAIL_CA_FILE") as refused:
        smtp.submit(message, recipient="buh@romashka.by", before_data=lambda: None)
    assert refused.value.code == "mail_insecure"


# --- A real server --------------------------------------------------------------------------------


class Keep:
    """Keeps what an aiosmtpd server receives."""

    def __init__(self):
        self.envelopes = []

    async def handle_DATA(self, _server, session, envelope):  # noqa: N802 - aiosmtpd's own name
        self.envelopes.append((envelope, session))
        return "250 kept"


def check_password(server, session, envelope, mechanism, data):
    return AuthResult(success=data.password == b"right", handled=False)


@pytest.fixture
def real_server(free_port):
    """Start aiosmtpd with given options; gives what it keeps."""
    running = []

    def start(**options):
        keep = Keep()
        controller = Controller(keep, hostname="127.0.0.1", port=free_port, **options)
        controller.start()
        running.append(controller)
        return keep

    yield start
    for controller in running:
        controller.stop()


@pytest.fixture
def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def server_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(SELF_SIGNED)
    return context


def test_a_real_server_with_starttls_and_sign_in(real_server, free_port, settings, message):
    keep = real_server(
        tls_context=server_context(),
        require_starttls=True,
        auth_required=True,
        authenticator=check_password,
    )
    settings(
        MAIL_PORT=free_port,
        MAIL_TLS="starttls",
        MAIL_CA_FILE=str(SELF_SIGNED),
        MAIL_USERNAME="cabinet",
        MAIL_PASSWORD="right",
    )
    assert smtp.submit(message, recipient="buh@romashka.by", before_data=lambda: None)
    ((envelope, session),) = keep.envelopes
    assert envelope.content == MESSAGE
    assert session.ssl is not None


def test_a_real_server_that_speaks_tls_from_the_first_byte(
    real_server, free_port, settings, message
):
    keep = real_server(ssl_context=server_context())
    settings(MAIL_PORT=free_port, MAIL_TLS="tls", MAIL_CA_FILE=str(SELF_SIGNED))
    smtp.submit(message, recipient="buh@romashka.by", before_data=lambda: None)
    assert keep.envelopes[0][0].content == MESSAGE


def test_tls_asked_of_a_plain_server_is_not_safe(sink, send):
    with pytest.raises(MailRefused) as refused:
        send(MAIL_TLS="tls")
    assert not refused.value.permanent
    assert refused.value.code in {"mail_insecure", "mail_unreachable"}
    assert not sink.taken
