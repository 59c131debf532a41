"""Texts for people. Code holds English msgids; the words shown stand in `translations/`."""

import gettext as _stdlib
from datetime import date
from functools import cache
from pathlib import Path

from markupsafe import escape

from domain import tables
from domain.errors import DomainError
from domain.formats import format_value
from domain.languages import LANGUAGES, OWN, current_language, language
from domain.rating.deck_file import Mistake

__all__ = ["LANGUAGES", "current_language", "language"]  # whoever has texts has these too
_FOLDER = Path(__file__).parent / "translations"


@cache
def _catalogue(language: str) -> _stdlib.NullTranslations:
    """The words of a language. What has no Belarusian is said in Russian: whoever reads the one
    reads the other.
    """
    found = _stdlib.translation("messages", _FOLDER, [language], fallback=True)
    if language == "be":
        found.add_fallback(_catalogue(OWN))
    return found


def gettext(message: str) -> str:
    """`message` in the current language."""
    return _catalogue(current_language()).gettext(message)


def ngettext(singular: str, plural: str, n: int) -> str:
    """The form of a message that agrees with `n`."""
    return _catalogue(current_language()).ngettext(singular, plural, n)


_ = gettext


def N_(message: str) -> str:  # noqa: N802 - the field's own name for it
    """Mark a msgid for extraction; it is translated where it is shown."""
    return message


class LazyText:
    """A msgid that becomes text when it is shown: for labels made at import."""

    def __init__(self, message: str) -> None:
        self._message = message

    def __str__(self) -> str:
        return gettext(self._message)

    def __html__(self) -> str:
        return str(escape(str(self)))


lazy_gettext = LazyText

BUSY = N_("Call records are being read in, or invoices formed. Try again in a minute.")
ERRORS = {
    "number_in_use": N_("{number} has {calls} calls after that: choose a later day"),
    "period_reversed": N_("The last day is before the first"),
    "period_out_of_range": N_("Call detail is available from {start} to {end}"),
    "nothing_selected": N_("Choose at least one subscriber"),
    "orders_closed": N_(
        "Bills are being made. Mark “carry out when the bills are made”, or order from {opens} on."
    ),
    "item_closed": N_("Nothing is ordered here today. It is possible from {opens} on."),
    "bill_not_offered": N_("This bill cannot be ordered here. Choose one of those listed."),
    "bill_not_formed": N_("The bill for this month is not made yet"),
    "too_many_open_orders": N_(
        "You have {limit} unfinished orders. Wait until some of them are done"
    ),
    "too_many_orders_per_hour": N_(
        "No more than {limit} orders an hour. Try again in {minutes} min"
    ),
    "too_many_rows_for_pdf": N_(
        "A PDF holds no more than {limit} calls, and there are {rows} in your order. "
        "Choose XLSX or CSV."
    ),
    "too_many_numbers_for_pdf": N_(
        "A PDF holds no more than {limit} numbers, and there are {rows} in your order. "
        "Choose XLSX or CSV."
    ),
    "wrong_credentials": N_("Wrong login or password"),
    "too_many_sign_ins": N_("Too many attempts. Try again in {minutes} min."),
    "wrong_password": N_("Wrong password"),
    "delivery_change_pending": N_(
        "A change is under way already. Cancel it, or wait until it takes effect"
    ),
    "nothing_to_change": N_("It is so already: there is nothing to change"),
    "too_many_delivery_changes": N_(
        "No more than {limit} changes of delivery can be asked for in a day"
    ),
    "password_common": N_("This password is among the first that are tried. Choose another one."),
    "password_too_short": N_("The password needs at least {least} characters"),
    "password_too_long": N_("The password can have no more than {most} characters"),
    "password_is_name": N_("The password must not be the login, the name or the address"),
    "same_password": N_("The new password is the same as the old one"),
    "last_administrator": N_(
        "This is the only administrator of the company. Make somebody else an administrator first."
    ),
    "company_wide": N_(
        "This page is about the company as a whole, and the numbers open to you are chosen ones."
    ),
    "out_of_scope": N_("Some of these numbers are not open to you any more. Choose them anew."),
    "administrator_sees_all": N_(
        "An administrator sees all numbers. Give the user another role first."
    ),
    "login_taken": N_("The login {name} is taken. Choose another one."),
    "link_over": N_("This link does not work any more"),
    "too_many_invitations": N_("No more than {limit} letters a day. Try again tomorrow."),
    "sign_in_expired": N_("It took too long. Enter login and password once more."),
    "wrong_code": N_("The code does not fit. Wait for the next one and enter it."),
    "no_space_left": N_(
        "Orders are not taken now: there is too little space on the server. Try again later."
    ),
    "files_take_too_much": N_(
        "The files of your orders take all the space they may: {limit} MB. The first of them is "
        "removed on {until}: order again after that."
    ),
    "number_ended": N_("{number} has been taken away from {day} on: it stays closed"),
    "number_passed_on": N_(
        "{number} became another client's on {day} after it had ended: it cannot come back"
    ),
    "number_has_no_break": N_(
        "{number} ended on {day} and comes back without a break only: give no first day, or that"
    ),
    "connection_unfit": N_(
        "{number} cannot belong to {connection}: a connection has not ended and belongs to none"
        " itself, and what belongs to it has no numbers of its own"
    ),
    "number_taken": N_("{number} is the number of another client at that time"),
    "already_exists": N_("{what} {name}: there is one already"),
    "not_found": N_("{what} {name}: there is none"),
    "nothing_to_roll_back": N_("Import {run} has nothing to take out"),
    "invalid_value": N_("{what}: {value} cannot be used"),
    "cannot_bill": N_("The invoice cannot be formed: {reason}"),
    "on_invoice": N_("It stands on the invoice of {month} and cannot be changed any more"),
    "discount_ended": N_("The discount ended on {day} already"),
    "plan_ended": N_("The instalments ended on {day} already"),
    "nothing_to_end": N_("No part is left that stands on no bill"),
    "instalments_refused": N_("{value} lines cannot be taken: nothing was stored"),
    "statement_refused": N_("{value} lines cannot be read: nothing was stored"),
    "vat_on_bills": N_(
        "Bills of {month} are formed with {percent} of VAT on {service} and do not change: "
        "another rate can begin on {first} or later"
    ),
    "state_unknown": N_("Choose the state"),
    "text_missing": N_("Write what it is about"),
    "text_too_long": N_("The text is {over} characters longer than the {limit} it may have"),
    "thread_closed": N_("This request is closed. Open it again to write in it."),
    "discounts_above_all": N_(
        "With it the discounts of {month} would come to {percent}: "
        "no more than 100 % can be taken off"
    ),
    "corrected_meanwhile": N_("A credit note was given out meanwhile: look at what is left"),
    "already_told": N_("You have told of this payment already: request No. {number}"),
    "already_arrived": N_("This payment has come in already, on {day}"),
    "too_many_messages": N_("No more than {limit} messages an hour. Try again in {minutes} min"),
    "no_space_for_files": N_(
        "There is too little space on the server for files now. Send the text without them, or "
        "try again later."
    ),
    "file_kind": N_("{name}: files of this kind are not taken. Send PDF, XLSX, CSV, JPG, PNG, ZIP"),
    "file_empty": N_("{name}: the file is empty"),
    "file_content": N_("{name}: this is not a {kind} inside, or the file is damaged"),
    "file_size": N_("{name}: larger than {limit} MB"),
    "file_count": N_("No more than {limit} files with one message"),
    "files_quota": N_(
        "The files of all your requests take all the space they may: {limit} MB. Send the text "
        "without them."
    ),
    "deck_refused": N_("{value} lines cannot be taken: nothing was stored"),
}

# Why an order was not carried out: code in `Order.reason` → sentence for the client.
FAILURES = {
    "mail_address_refused": N_("The mail server refused the address. Code M-17"),
    "mail_too_large": N_("The mail server refused a message of this size. Code M-18"),
    "mail_refused": N_("The mail server refused the message. Code M-19"),
    "mail_unreachable": N_("The mail server does not answer. Code M-20"),
    "mail_rejected_sign_in": N_("The mail server did not accept our sign-in. Code M-21"),
    "mail_insecure": N_("The connection to the mail server is not safe. Code M-22"),
    "mail_unconfirmed": N_("It is not known whether the message went out. Code M-23"),
    "letter_failed": N_("The letter could not be made. Code M-24"),
    "letter_too_late": N_("The letter could not be sent in time. Code M-25"),
    "render_failed": N_("The file could not be made. Code R-10"),
    "render_too_long": N_("Making the file took too long. Code R-11"),
    "no_space": N_("There is no space for the file. Code R-12"),
    "files_take_too_much": N_("The files of your orders take all the space they may. Code R-14"),
    "bill_not_formed": N_("The bill for this month was not made in time. Code R-15"),
    "out_of_scope": N_("Some of its numbers are not open any more to who ordered it. Code R-16"),
    "worker_lost": N_("The work was interrupted and will be done again. Code R-13"),
}

# What is wrong with a line of a rate deck: domain.rating.deck_file.Mistake.code → sentence.
DECK_MISTAKES = {
    "contradiction": N_("prefix {value} has another price than on line {other}"),
    "shifted": N_("{value} is no name of a destination: the cells are shifted"),
    "too_many_columns": N_("{value} cells under {other} titles"),
    "bad_prefix": N_("{value} is no prefix"),
    "bad_price": N_("{value} is no price with up to six places"),
    "no_price": N_("there is no price"),
    "bad_seconds": N_("{value} is no whole number of seconds"),
    "bad_date": N_("{value} is no date"),
    "not_understood": N_("{value} would change the price in a way that is not known here"),
}

# Lines of a file with a client's numbers.
SUBSCRIBER_MISTAKES = {
    "no_number": N_("{value} is no number"),
    "repeated": N_("the number stands on line {value} already"),
    "too_many_cells": N_("{value} cells: more than there are titles"),
    "too_long": N_("{value}: one line of at most 255 characters"),
    "unknown_status": N_("{value} is no status"),
    "number_taken": N_("{value} is or was another client's: add it from a day on"),
    "number_ended": N_("the number has been taken away from {value} on: it stays closed"),
    "no_connection": N_("{value} is no number of the client yet: add the connection first"),
    "connection_unfit": N_(
        "{value} cannot be its connection: a connection has not ended and belongs to none itself,"
        " and what belongs to it has no numbers of its own"
    ),
}

# What is wrong with a line of a bank's statement: domain.billing.statement.Mistake.code → sentence.
STATEMENT_MISTAKES = {
    "no_amount": N_("{value} is no amount"),
    "not_received": N_("{value}: nothing was received"),
    "no_date": N_("{value} is no date"),
    "day_to_come": N_("{value} is a day to come"),
    "too_many_cells": N_("{value} cells: more than there are titles"),
    "unknown_method": N_("{value} is no way of payment; known: {known}"),
}

# What is wrong with a line of a file of instalment plans:
# domain.billing.instalment_file.Mistake.code → sentence.
INSTALMENT_MISTAKES = {
    "nothing_in": N_("nothing stands in the column {value}"),
    "too_long": N_("{value} is longer than 255 characters"),
    "too_many_cells": N_("{value} cells: more than there are titles"),
    "no_payer": N_("{value} is no payer: client or employee"),
    "no_amount": N_("{value} is no amount"),
    "no_count": N_("{value} is no number of parts"),
    "no_date": N_("{value} is no date"),
    "no_account": N_("no client has the account number {value}"),
    "no_number": N_("the client has no number {value}"),
    "months": N_("{value} parts: give 1 to 120, and at least a kopeck for each"),
    "first_payment": N_("the first payment is not from 0 to the price"),
    "not_one_line": N_("{value} is no text in one line"),
    "contradiction": N_("the same contract as on line {value}, but not the same plan"),
    "ended": N_("the plan of this contract ended on {value}: give the new one another number"),
}

# Ways of payment: domain.billing.methods.METHODS.
PAYMENT_METHODS = {
    "transfer": N_("payment order"),
    "demand": N_("payment demand"),
    "erip": N_("ERIP"),
    "correction": N_("correction"),
}

# Why a line of a bank's statement is nobody's.
STRAY_LINES = {
    "nobody_named": N_("no payer is named"),
    "no_such_client": N_("no client of ours: neither the account number nor the UNP"),
    "no_such_account": N_("no client of ours with this account number"),
    "no_such_unp": N_("no client of ours with this UNP"),
    "several_with_unp": N_("several clients have this UNP: the account number is needed"),
}

# Destination groups, as lines of an invoice name them.
DESTINATION_GROUPS = {
    "local": N_("Calls to landlines in Belarus"),
    "onnet": N_("Calls inside the network"),
    "mobile": N_("Calls to mobiles in Belarus"),
    "international": N_("International calls"),
    "service": N_("Calls to service numbers"),
    "in": N_("Incoming calls"),
    "?": N_("Calls without a price"),
}

# Why a client has no invoice for a month: BillingFailure.reason → sentence for the operator.
BILLING_FAILURES = {
    "unrated_calls": N_("{count} calls have no price"),
    "month_before_missing": N_("The month before has no invoice yet"),
    "month_after_formed": N_("A later month has its invoice already"),
    "failed": N_("The invoice could not be formed"),
    "took_too_long": N_("Forming the invoice took longer than a job may"),
}

MONTHS = (
    N_("January {year}"),
    N_("February {year}"),
    N_("March {year}"),
    N_("April {year}"),
    N_("May {year}"),
    N_("June {year}"),
    N_("July {year}"),
    N_("August {year}"),
    N_("September {year}"),
    N_("October {year}"),
    N_("November {year}"),
    N_("December {year}"),
)


def month_text(day: date) -> str:
    """The month of a day in words: «март 2026 г.»."""
    return gettext(MONTHS[day.month - 1]).format(year=day.year)


def destination_group_text(group: str) -> str:
    """The name of a destination group; one of the operator's own is its own name."""
    return gettext(DESTINATION_GROUPS[group]) if group in DESTINATION_GROUPS else group


def billing_failure_text(reason: str, count: int) -> str:
    """Why a client has no invoice."""
    return gettext(BILLING_FAILURES[reason]).format(count=count)


def deck_mistake_text(mistake: Mistake) -> str:
    """The sentence for what is wrong with a line of a rate deck."""
    sentence = gettext(DECK_MISTAKES[mistake.code])
    return sentence.format(value=mistake.value, other=mistake.other)


def subscriber_mistake_text(mistake: tables.Mistake) -> str:
    """The sentence for what is wrong with a line of a file of numbers."""
    return gettext(SUBSCRIBER_MISTAKES[mistake.code]).format(value=mistake.value or "–")


def statement_mistake_text(mistake: tables.Mistake) -> str:
    """The sentence for what is wrong with a line of a bank's statement."""
    known = ", ".join(payment_method_text(method) for method in PAYMENT_METHODS)
    return gettext(STATEMENT_MISTAKES[mistake.code]).format(value=mistake.value or "–", known=known)


def payment_method_text(method: str) -> str:
    """The name of a way of payment."""
    return gettext(PAYMENT_METHODS[method]) if method in PAYMENT_METHODS else method


def instalment_mistake_text(mistake: tables.Mistake) -> str:
    """The sentence for what is wrong with a line of a file of instalment plans."""
    return gettext(INSTALMENT_MISTAKES[mistake.code]).format(value=mistake.value or "–")


def stray_line_text(why: str) -> str:
    """Why a line of a statement is nobody's."""
    return gettext(STRAY_LINES[why])


def error_text(error: DomainError) -> str:
    """The sentence for a rule's refusal. Dates among its values are shown as ДД.ММ.ГГГГ."""
    values = {name: format_value(value) for name, value in error.values.items()}
    return gettext(ERRORS[error.code]).format(**values)


def failure_text(code: str) -> str:
    """The sentence for the reason why an order failed."""
    return gettext(FAILURES.get(code, FAILURES["render_failed"]))
