"""Why lines of call records were refused, and imports failed, in the reader's language."""

import re

from models import ImportRun
from texts import N_, gettext

REASONS = (
    N_("negative duration"),
    N_("end before start"),
    N_("longer than a month"),
    N_("billed longer than the call lasted"),
    N_("billed longer than the call lasted after the answer"),
    N_("talked longer than the call lasted"),
    N_("answer outside the call"),
    N_("end before answer"),
    N_("ended before it was answered"),
    N_("unreadable time"),
    N_("unknown disposition"),
    N_("unknown status"),
    N_("unknown method"),
    N_("unknown type of record"),
    N_("a number or id is too long"),
    N_("no number of caller or called"),
    N_("no id"),
    N_("no end"),
    N_("no start"),
    N_("no start or end"),
    N_("no duration"),
    N_("no call id"),
    N_("no Call-ID"),
    N_("no session"),
    N_("no SIP reply code"),
    N_("no cause of the end of the call"),
    N_("duration is not a number"),
    N_("duration is not h:mm:ss"),
    N_("a counter of seconds is not a number"),
    N_("connected time is not hh:mm:ss"),
    N_("direction is not I or O"),
    N_("a disposition that the map does not know"),
    N_("a direction that the map does not know"),
)
COLUMNS = re.compile(r"(\d+) columns instead of (.+)")
ERRORS = {
    "ZoneContradicted": N_("The times in the file contradict the calls' ids: the zone is wrong."),
    "ZoneChanged": N_(
        "The same file is stored already, read in another zone. Take that import out first."
    ),
    "UnknownFormat": N_("The file is not of the chosen format, or of none that is read."),
    "RefusedArchive": N_("The archive is damaged or could do harm."),
    "InvalidValue": N_(
        "The file cannot be understood without doubt. Choose its format and the order of its dates."
    ),
    "worker_lost": N_("Reading was interrupted too often."),
    "interrupted": N_("Reading was interrupted."),
}
OTHER_ERROR = N_("The file could not be read to its end. What was stored is kept.")


def reason_text(reason: str) -> str:
    """Why a line was refused. What has no words here is shown as the reader of the format said it.

    >>> reason_text("no such words")
    'no such words'
    """
    if found := COLUMNS.fullmatch(reason):
        return gettext("{found} columns instead of {wanted}").format(
            found=found[1], wanted=found[2]
        )
    return gettext(reason) if reason in REASONS else reason


def import_error_text(run: ImportRun) -> str:
    """Why an import failed."""
    return gettext(ERRORS.get(run.error, OTHER_ERROR))


def zone_error_text(run: ImportRun) -> str:
    """By how much the times contradict the ids, or nothing."""
    if not run.zone_error_s:
        return ""
    hours, minutes = divmod(abs(run.zone_error_s) // 60, 60)
    if run.zone_error_s > 0:
        sentence = gettext("The times in the file lie {time} h after the moments in the ids.")
    else:
        sentence = gettext("The times in the file lie {time} h before the moments in the ids.")
    return sentence.format(time=f"{hours}:{minutes:02}")
