"""What the access log calls the events of the audit trail."""

from texts import N_, gettext

OTHER = N_("Another action")
WORDS = {  # by services.audit.AuditEventKind
    "signed_in": N_("Signed in"),
    "signed_out": N_("Signed out"),
    "sessions_ended": N_("Ended sessions"),
    "password_set": N_("Set a password"),
    "step_up_refused": N_("Entered a wrong password"),
    "authz_fail": N_("Was refused a page"),
    "order_placed": N_("Placed an order"),
    "order_cancelled": N_("Cancelled an order"),
    "order_retried": N_("Repeated an order"),
    "file_downloaded": N_("Downloaded a file"),
    "records_imported": N_("Read in call records"),
    "records_uploaded": N_("Uploaded call records"),
    "import_confirmed": N_("Confirmed call records"),
    "import_rollback_asked": N_("Asked to take call records out"),
    "import_rolled_back": N_("Took call records out"),
    "client_viewed": N_("Looked at the company's data"),
    "delivery_change_asked": N_("Asked to change the delivery of bills"),
    "delivery_change_confirmed": N_("Confirmed the address for bills"),
    "delivery_change_cancelled": N_("Cancelled the change of delivery"),
    "delivery_change_expired": N_("The change of delivery was not confirmed in time"),
    "delivery_set": N_("Set the delivery of bills"),
    "client_added": N_("Added the company"),
    "client_changed": N_("Changed the company's data"),
    "subscriber_added": N_("Added a number"),
    "subscriber_ended": N_("Ended a number"),
    "user_added": N_("Added a user"),
    "user_changed": N_("Changed a user's access"),
    "calls_waived": N_("Left calls without a price out of the bill"),
    "waiver_undone": N_("Took calls without a price back in"),
    "billing_asked": N_("Asked for bills to be made"),
    "payment_added": N_("Entered a payment"),
    "payments_imported": N_("Read in payments"),
    "charge_added": N_("Added a charge"),
    "charge_cancelled": N_("Cancelled a charge"),
    "discount_added": N_("Added a discount"),
    "discount_ended": N_("Ended a discount"),
    "instalments_added": N_("Added an instalment plan"),
    "subscriber_chosen": N_("Chose a SIP subscriber"),
    "feedback_opened": N_("Wrote to the operator"),
    "feedback_answered": N_("Answered a request"),
    "feedback_noted": N_("Noted something about a request"),
    "feedback_state_set": N_("Changed the state of a request"),
    "feedback_reopened": N_("Opened a request again"),
    "feedback_rated": N_("Rated an answer"),
}


def event_text(event: str) -> str:
    """An event in words; one that nobody has named yet is another action."""
    return gettext(WORDS.get(event, OTHER))
