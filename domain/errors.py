"""What the business refuses. Each error carries a code; the sentence for people is made at the
edge (`texts.py`).
"""


class DomainError(Exception):
    """A rule said no. `code` names the rule, `values` fill the sentence made of it."""

    code = "domain_error"

    def __init__(self, message: str = "", **values: object) -> None:
        super().__init__(message or self.code)
        self.values = values


class PeriodReversed(DomainError):
    """The last day lies before the first."""

    code = "period_reversed"


class PeriodOutOfRange(DomainError):
    """Days outside the orderable window; `values`: start, end (dates of the window)."""

    code = "period_out_of_range"


class OrdersClosed(DomainError):
    """Invoices are being formed and cannot be ordered; `values`: opens (the first open day)."""

    code = "orders_closed"


class ItemClosed(DomainError):
    """Nothing is ordered there on these days; `values`: opens (the first open day)."""

    code = "item_closed"


class BillNotOffered(DomainError):
    """No document of that key can be ordered there: not the client's, or too old."""

    code = "bill_not_offered"


class BillNotFormed(DomainError):
    """The invoice of a month is not formed yet."""

    code = "bill_not_formed"


class NothingSelected(DomainError):
    """An order without a single subscriber."""

    code = "nothing_selected"


class TooManyOpenOrders(DomainError):
    """The user has as many unfinished orders as allowed; `values`: limit."""

    code = "too_many_open_orders"


class TooManyOrdersPerHour(DomainError):
    """The user ordered too often within the hour; `values`: limit, retry_after_s."""

    code = "too_many_orders_per_hour"


class TooManyRowsForPdf(DomainError):
    """More calls than a PDF is made for; `values`: limit, rows."""

    code = "too_many_rows_for_pdf"


class TooManyNumbersForPdf(DomainError):
    """More numbers than a PDF is made for; `values`: limit, rows."""

    code = "too_many_numbers_for_pdf"


class NoSpaceLeft(DomainError):
    """The disk is too full to take another order."""

    code = "no_space_left"


class FilesTakeTooMuch(DomainError):
    """The files kept for a client fill its share; `values`: limit (MB), until (when one goes)."""

    code = "files_take_too_much"


class NumberTaken(DomainError):
    """A full number has one owner at a time; `values`: number."""

    code = "number_taken"


class NumberInUse(DomainError):
    """A number cannot end before its last calls; `values`: number, calls (how many are later)."""

    code = "number_in_use"


class NumberEnded(DomainError):
    """A number that was taken from its client has no other status; `values`: number, day."""

    code = "number_ended"


class NumberPassedOn(DomainError):
    """Another client has had the number since it ended; `values`: number, day."""

    code = "number_passed_on"


class NumberHasNoBreak(DomainError):
    """A number comes back to its client as if it had never ended; `values`: number, day."""

    code = "number_has_no_break"


class ConnectionUnfit(DomainError):
    """A number cannot belong to that connection; `values`: number, connection."""

    code = "connection_unfit"


class AlreadyExists(DomainError):
    """A name that must be unique is in use; `values`: what, name."""

    code = "already_exists"


class NotFound(DomainError):
    """Nothing of that name; `values`: what, name."""

    code = "not_found"


class InvalidValue(DomainError):
    """A value of the wrong shape; `values`: what, value."""

    code = "invalid_value"


class NothingToRollBack(DomainError):
    """An import that has stored nothing, or was taken out already; `values`: run, state."""

    code = "nothing_to_roll_back"


class WrongCredentials(DomainError):
    """No such login, or not its password: one and the same for who asks."""

    code = "wrong_credentials"


class WrongPassword(DomainError):
    """Not the password of who is signed in."""

    code = "wrong_password"


class DeliveryChangePending(DomainError):
    """A change of delivery is under way: it takes effect, or is cancelled, before the next."""

    code = "delivery_change_pending"


class DiscountsAboveAll(DomainError):
    """Discounts of a month that would take off more than there is; `values`: month, percent."""

    code = "discounts_above_all"


class DiscountEnded(DomainError):
    """A discount holds up to a day that is before the one asked for."""

    code = "discount_ended"


class CorrectedMeanwhile(DomainError):
    """Somebody has given out a credit note since the page was drawn."""

    code = "corrected_meanwhile"


class NothingToChange(DomainError):
    """What was asked for is so already."""

    code = "nothing_to_change"


class TooManyDeliveryChanges(DomainError):
    """As many changes of delivery as may be asked for in a day; `values`: limit."""

    code = "too_many_delivery_changes"


class TooManySignIns(DomainError):
    """Too many wrong passwords lately; `values`: retry_after_s, minutes."""

    code = "too_many_sign_ins"


class WeakPassword(DomainError):
    """A password that must not be chosen."""

    code = "password_common"


class PasswordTooShort(WeakPassword):
    """`values`: least."""

    code = "password_too_short"


class PasswordTooLong(WeakPassword):
    """`values`: most."""

    code = "password_too_long"


class PasswordIsName(WeakPassword):
    """It is the login, or what else everybody knows of its owner."""

    code = "password_is_name"


class SamePassword(DomainError):
    """The new password is the old one."""

    code = "same_password"


class LastAdministrator(DomainError):
    """Without this user nobody of the company could let others in."""

    code = "last_administrator"


class LoginTaken(DomainError):
    """Somebody signs in under that name already; `values`: name."""

    code = "login_taken"


class LinkOver(DomainError):
    """A link in a letter that was used, replaced, or whose time is over."""

    code = "link_over"


class TooManyInvitations(DomainError):
    """As many letters as a company may have sent to new addresses in a day; `values`: limit."""

    code = "too_many_invitations"


class SignInExpired(DomainError):
    """Too long ago that the password was shown: begin anew."""

    code = "sign_in_expired"


class WrongCode(DomainError):
    """Not the code of this moment, or one that was taken before."""

    code = "wrong_code"


class OnInvoice(DomainError):
    """What stands on an invoice cannot be changed any more; `values`: month (as mm.yyyy)."""

    code = "on_invoice"


class PlanEnded(DomainError):
    """Instalments that have ended already; `values`: day."""

    code = "plan_ended"


class NothingToEnd(DomainError):
    """Instalments of which every part is billed, or due, by the day."""

    code = "nothing_to_end"


class VatOnBills(DomainError):
    """A rate of VAT that would change that of bills which are formed; `values`: month (as mm.yyyy),
    percent, service, first (the day from which another can hold).
    """

    code = "vat_on_bills"


class TextMissing(DomainError):
    """A message without words."""

    code = "text_missing"


class TextTooLong(DomainError):
    """More signs than a message may have; `values`: limit, over."""

    code = "text_too_long"


class ThreadClosed(DomainError):
    """A thread in which nobody writes any more, unless it is opened anew."""

    code = "thread_closed"


class AlreadyTold(DomainError):
    """The client has told of this payment before; `values`: number, of the request."""

    code = "already_told"


class AlreadyArrived(DomainError):
    """The payment that is told of has come in; `values`: day."""

    code = "already_arrived"


class TooManyMessages(DomainError):
    """The user wrote too often within the hour; `values`: limit, retry_after_s, minutes."""

    code = "too_many_messages"


class NoSpaceForFiles(DomainError):
    """The disk has no room for files sent along with a message."""

    code = "no_space_for_files"


class StateUnknown(DomainError):
    """A state that nobody can give a thread."""

    code = "state_unknown"


class CompanyWide(DomainError):
    """It is about the company as a whole, and who asks sees chosen numbers only."""

    code = "company_wide"


class OutOfScope(DomainError):
    """Who placed an order may not see all the numbers it is about (any more)."""

    code = "out_of_scope"


class AdministratorSeesAll(DomainError):
    """An administrator of a company sees all its numbers."""

    code = "administrator_sees_all"
