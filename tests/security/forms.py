"""Every form of the cabinet as a person sends it, on the rows of a `world`."""

import io
from contextlib import contextmanager
from datetime import timedelta

import pyotp

from domain.call_centre import MemberKind
from domain.orders import OrderState
from domain.periods import month_start
from domain.rating.states import CallRating
from domain.roles import Role
from models import UserSession
from models_access import SecondFactor
from models_billing import Discount, OneOffCharge, Waiver
from services import billing, call_centre, clock, invoices, second_factor
from services.access_links import LinkKind
from tests import factories
from tests.security import world

PASSWORD = "korova-na-lugu"
RECORDS = (
    b'"","375291112233","375172001020","default","375291112233","PJSIP/a-1","PJSIP/b-2","Dial","x",'
    b'"2026-11-20 09:00:00","2026-11-20 09:00:05","2026-11-20 09:01:05",65,60,"ANSWERED",'
    b'"DOCUMENTATION","1763618400.1",""\n'
)
STATEMENT = "Дата;Сумма;УНП\n20.11.2026;5,00;199999999\n".encode()


@contextmanager
def full_world(app):
    """A client with a row behind every page and form."""
    made = world.build(app)
    add_rows(made)
    yield made
    world.clear(app)


def add_rows(made):
    """What forms need beside the rows of `world.build`."""
    made.subscriber = factories.make_subscriber(made.client)
    made.failed = factories.make_order(
        made.client, [made.subscriber], user=made.user, state=OrderState.FAILED
    )
    made.open = factories.make_order(made.client, [made.subscriber], user=made.user)
    last_month = month_start(clock.now().date(), 1)
    billing.form_month(last_month, client=made.client, now=clock.now())
    [made.invoice] = invoices.of_client(made.client)
    made.checked = factories.make_import_run(state="checked", upload_key="u", client=made.client)
    made.typist = factories.make_user(made.client, login="ivanov", password=PASSWORD)
    made.session = UserSession.create(
        token_hash="another", user=made.typist, created_at=clock.now(),
        last_seen_at=clock.now(), expires_at=clock.now() + timedelta(hours=8),
    )  # fmt: skip
    talked = clock.now() - timedelta(minutes=5)
    made.lost = factories.make_call(
        made.subscriber, talked, answered_at=clock.epoch(talked), peer="48221112233",
        rating=CallRating.NO_RATE,
    )  # fmt: skip
    made.waiver = Waiver.create(
        client=made.client, month=last_month, reason="Проба", at=clock.now(), calls=1
    )
    made.charge = OneOffCharge.create(
        client=made.client, day=talked.date(), name="Выезд", amount=1, created_at=talked
    )
    made.discount = Discount.create(
        client=made.client, name="Скидка", percent=1, valid_from=talked.date()
    )
    made.setting_up = factories.make_user(made.client, password=PASSWORD)
    made.factor = SecondFactor.create(user=made.setting_up, key="k", created_at=clock.now())
    made.guarded = factories.make_user(made.client, password=PASSWORD)
    now = {"created_at": clock.now(), "confirmed_at": clock.now()}
    SecondFactor.create(user=made.guarded, key="k", **now)
    made.invited = factories.make_user(made.client)
    world.add_link(made.app, LinkKind.INVITATION, made.invited, clock.now())
    made.agent = factories.make_subscriber(made.client)
    call_centre.add(made.client, made.agent, MemberKind.EMPLOYEE, now=clock.now())
    made.cashier = factories.make_user(role=Role.OPERATOR_ADMINISTRATOR, password=PASSWORD)
    made.payer = factories.make_user(factories.make_client(), password=PASSWORD)


def all_forms(full):
    """endpoint → (who, address, fields)."""
    day = clock.now().date().isoformat()
    period = {"start": day, "end": day, "direction": "both", "file_format": "csv"}
    step = f"/bills/call-detail/{full.draft.key}"
    charges, form = f"/bills/charges/order/{full.charge_draft.key}", {"file_format": "csv"}
    chosen = {"new": "three words together", "again": "three words together"}
    invitation = {
        "full_name": "Борис", "email": "b@romashka.by", "login": "boris", "role": "viewer",
        "whose": "company", "password": PASSWORD,
    }  # fmt: skip
    ticks = {
        "q": "", "status": "", "sip": "", "sel": "", "page": "1", "per_page": "50",
        "shown": str(full.subscriber.id), "tick": str(full.subscriber.id), "typed": "",
    }  # fmt: skip
    delivery = {
        "method": "email", "email": "new@romashka.by", "receiver": "", "password": PASSWORD,
    }  # fmt: skip
    failed, run = f"/orders/{full.failed.key}", f"/operator/imports/{full.run.id}"
    bill = {
        "form_key": "a" * 24, "documents": full.invoice.key, "file_format": "pdf",
        "is_deferred": "y",
    }  # fmt: skip
    files = {
        "files": "a file", "format_name": "auto", "zone": "Europe/Minsk", "dates": "",
        "exchange": "", "account": full.client.account_no, "check_only": "y",
    }  # fmt: skip
    thread = f"/feedback/{full.thread.key}"
    said = {"form_key": "a" * 24, "text": "Почему так?", "files": "a file"}
    month = f"/operator/billing/{full.asked.period:%Y-%m}"
    lost = f"/operator/unrated/waive?account={full.client.account_no}&month={day[:7]}"
    return {
        **money_forms(full, f"/operator/clients/{full.client.id}"),
        "operator.bill.correct": (
            full.cashier, f"/operator/clients/{full.client.id}/bills/{full.invoice.key}/correct",
            {"reason": "Ошибка", "scope": "all", "after": "0", "password": PASSWORD},
        ),
        "operator.billing.look": (full.operator, f"{month}/look", {}),
        "operator.billing.retry": (
            full.operator, f"{month}/retry", {"account": full.client.account_no},
        ),
        "operator.billing.form": (
            full.operator, f"/operator/billing/requests/{full.asked.id}/form", {},
        ),
        "operator.statements.upload": (
            full.operator, "/operator/statements/", {"file": "a statement"},
        ),
        "operator.statements.book": (
            full.operator, f"/operator/statements/{full.statement.key}/book", {},
        ),
        "operator.letters.retry": (
            full.operator, f"/operator/letters/{full.held.key}/retry", {},
        ),
        "operator.unrated.waive": (
            full.operator, f"{lost}&reason=4&to=48*",
            {"call": "", "reason": "Проба", "which": "all"},
        ),
        "operator.unrated.undo": (
            full.operator, "/operator/unrated/undo", {"waiver": str(full.waiver.id)},
        ),
        "account.detail_address.change": (
            full.payer, "/account/detail-address/",
            {"email": "new@romashka.by", "password": PASSWORD},
        ),
        "account.detail_address.cancel": (
            full.user, f"/account/detail-address/{full.detail_change.key}/cancel", {},
        ),
        "account.scope.start": (full.user, full.address("/account/users/<int:user>/numbers"), {}),
        "account.scope.lift": (
            full.typist, full.address("/account/users/<int:user>/numbers/all"),
            {"password": PASSWORD},
        ),
        "account.scope.subscribers": (
            full.typist, full.address("/account/numbers/<key>"),
            {**ticks, "go": "submit", "password": PASSWORD},
        ),
        "account.scope.ticks": (
            full.user, full.address("/account/numbers/<key>/ticks"), {**ticks, "go": ""},
        ),
        "account.users.invite": (full.typist, "/account/users/invite", invitation),
        "account.users.show": (
            full.typist, full.address("/account/users/<int:user>/"),
            {"full_name": "Анна", "role": "accountant", "access": "open", "password": PASSWORD},
        ),
        "account.users.again": (full.user, f"/account/users/{full.invited.id}/again", {}),
        "account.users.sign_out": (full.user, f"/account/users/{full.typist.id}/sign-out", {}),
        "auth.code": (None, "/login/code", {"code": "123456"}),
        "auth.factor.begin": (full.typist, "/security/factor/", {"password": PASSWORD}),
        "auth.factor.confirm": (
            full.setting_up, "/security/factor/confirm",
            {"code": pyotp.TOTP(second_factor.secret_of(full.factor)).at(clock.now())},
        ),
        "auth.factor.codes": (full.guarded, "/security/factor/codes", {"password": PASSWORD}),
        "auth.factor.remove": (full.guarded, "/security/factor/remove", {"password": PASSWORD}),
        "auth.links.forgotten": (None, "/password/reset", {"login": "ivanov"}),
        "auth.links.password": (None, full.address("/password/new/<token>"), chosen),
        "auth.links.address": (None, full.address("/security/address/confirm/<token>"), {}),
        "auth.own.address": (
            full.typist, "/security/address", {"email": "i@romashka.by", "password": PASSWORD},
        ),
        "auth.login": (None, "/login", {"login": "ivanov", "password": PASSWORD}),
        "auth.logout": (full.user, "/logout", {}),
        "auth.own.password": (
            full.typist, "/security/password",
            {"password": PASSWORD, **chosen},
        ),
        "auth.own.end": (full.typist, "/security/sessions/end", {"session": str(full.session.id)}),
        "auth.own.end_all": (full.user, "/security/sessions/end-all", {}),
        "bills.email_bill.show": (full.user, "/bills/email/", bill),
        "bills.download_bill.show": (full.user, "/bills/download/", bill),
        "bills.call_detail.start": (full.user, "/bills/call-detail/", period),
        "bills.call_detail.period": (full.user, f"{step}/period", period),
        "bills.call_detail.subscribers": (
            full.user, f"{step}/subscribers", {**ticks, "go": "submit"},
        ),
        "bills.charge_order.start": (full.user, "/bills/charges/order/", form),
        "bills.charge_order.form": (full.user, f"{charges}/form", form),
        "bills.charge_order.subscribers": (
            full.user, f"{charges}/subscribers", {**ticks, "go": "submit"},
        ),
        "bills.charge_order.ticks": (
            full.user, f"{charges}/subscribers/ticks", {**ticks, "go": ""},
        ),
        "bills.call_detail.ticks": (full.user, f"{step}/subscribers/ticks", {**ticks, "go": ""}),
        "bills.delivery.change": (full.payer, "/bills/delivery/", delivery),
        "bills.delivery.cancel": (full.user, f"/bills/delivery/{full.change.key}/cancel", {}),
        "feedback.ask": (
            full.user, "/feedback/new",
            {**said, "about": f"order:{full.open.key}", "subject": "bills", "number": ""},
        ),
        "payments.report": (
            full.user, "/payments/report/",
            {"document_no": "17", "document_on": day, "amount": "5,00",
             "form_key": "a1" * 12},
        ),
        "payments.statement": (
            full.user, "/payments/statement/", {"start": day, "end": day, "form_key": "b2" * 12},
        ),
        "feedback.answer": (full.user, f"{thread}/answer", said),
        "feedback.reopen": (full.user, f"{thread}/reopen", {}),
        "feedback.rate": (full.user, f"{thread}/rate", {"rating": "5"}),
        "operator.feedback.answer": (
            full.operator, f"/operator{thread}/answer", {**said, "state": "solved"},
        ),
        "operator.feedback.note": (
            full.operator, f"/operator{thread}/note", {"form_key": "a" * 24, "note": "Перезвонить"},
        ),
        "operator.feedback.state": (
            full.operator, f"/operator{thread}/state", {"new_state": "in_work"},
        ),
        "languages.choose": (full.user, "/lang", {"language": "en"}),
        "letters.confirm": (None, full.address("/bills/delivery/confirm/<token>"), {}),
        "letters.cancel": (None, full.address("/bills/delivery/cancel/<token>"), {}),
        "orders.cancel": (full.user, f"/orders/{full.open.key}/cancel", {}),
        "orders.retry": (full.user, f"{failed}/retry", {}),
        "orders.repeat": (full.user, f"{failed}/repeat", {}),
        "call_centre.change": (
            full.user, "/call-centre/change",
            {
                "form_key": "b" * 24, "what": "add", "numbers": full.subscriber.number,
                "from_day": day, "text": "Продажи",
            },
        ),
        "subscribers.choose": (
            full.user, "/subscribers/choice", {"subscriber": str(full.subscriber.id)},
        ),
        "subscribers.everybody": (full.user, "/subscribers/everybody", {}),
        "operator.retry": (full.operator, f"/operator{failed}/retry", {}),
        "operator.imports.upload": (full.operator, "/operator/imports/", files),
        "operator.imports.load": (
            full.operator, f"/operator/imports/{full.checked.id}/load", {"force_zone": ""},
        ),
        "operator.imports.roll_back": (full.operator, f"{run}/rollback", {}),
    }  # fmt: skip


def money_forms(full, page):
    """Those of a client's money."""
    day = clock.now().date().isoformat()
    forms = {
        "payment": {
            "once": "a", "amount": "1 234,56", "paid_on": day, "document_no": "1", "purpose": "x",
            "document_on": "", "method": "transfer",
        },
        "charge": {
            "name": "Выезд", "amount": "10", "day": day, "service": "goods", "number": "",
        },
        "discount": {"name": "Скидка", "percent": "5", "valid_from": day, "valid_to": ""},
        "instalment": {
            "contract_no": "Р-1", "goods": "Телефон", "serial_no": "35-1", "price": "100",
            "first_payment": "0", "months": "3", "starts_on": day, "number": "", "payer": "client",
        },
    }  # fmt: skip
    ways = {name: (full.operator, f"{page}/{name}", fields) for name, fields in forms.items()}
    ways["cancel_charge"] = (
        full.operator, f"{page}/charge/cancel", {"charge": str(full.charge.id)},
    )  # fmt: skip
    ways["end_discount"] = (
        full.operator, f"{page}/discount/end", {"discount": str(full.discount.id)},
    )  # fmt: skip
    ways["language"] = (full.operator, f"{page}/language", {"language": "en"})
    centre = f"{page}/call-centre"
    number = {"number": full.subscriber.number, "kind": "employee", "group": "Продажи"}
    return {
        **{f"operator.clients.{name}": way for name, way in ways.items()},
        "operator.instalments.end": (
            full.operator, f"{page}/instalments/{full.plan.id}/end", {"how": "repaid", "day": day},
        ),
        "operator.cabinet.leave": (full.operator, f"{page}/cabinet/leave", {}),
        "operator.cabinet.show": (
            full.operator, f"{page}/cabinet/", {"reason": "Вопрос по телефону"},
        ),
        "operator.centre.add": (full.operator, f"{centre}/add", number),
        "operator.centre.hours": (
            full.operator, f"{centre}/hours", {"hours": "1-5 8:00-17:00", "holidays": "y"},
        ),
        "operator.centre.remove": (
            full.operator, f"{centre}/remove", {"subscriber": str(full.agent.id)},
        ),
        "operator.numbers.edit": (
            full.operator, f"{page}/numbers/{full.agent.id}",
            {"full_name": "Анна", "connection": "", "status": "blocked", "status_reason": "Долг"},
        ),
    }  # fmt: skip


def sent(fields):
    """The fields as a request takes them: the file is read once only."""
    if "files" in fields:
        return {**fields, "files": (io.BytesIO(RECORDS), "Master.csv")}
    if "file" in fields:
        return {**fields, "file": (io.BytesIO(STATEMENT), "vypiska.csv")}
    return fields
