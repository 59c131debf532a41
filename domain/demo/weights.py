"""The figures behind the demo: when, how long and whom people call. Published or measured ones
where there are any, else assumed; days are days of the operator's zone.
"""

from datetime import date

from domain.holidays import is_holiday

# Share of a week's calls, Monday first: 13 000 British firms, 2009.
WEEKDAYS = (0.183, 0.200, 0.199, 0.195, 0.174, 0.029, 0.020)
WEEKS_IN_TWO_MONTHS = 61 / 7
HOLIDAY = 0.03  # share of a usual day

# Calls by the hour, per cent: a firm's week with its lunch dip, mixed with a flat working day.
_MEASURED = {
    8: 2.5,
    9: 12.4,
    10: 13,
    11: 15.7,
    12: 3,
    13: 3.8,
    14: 14.5,
    15: 14.4,
    16: 14.1,
    17: 5.8,
}
HOURS = tuple(
    0.7 * _MEASURED.get(hour, 0) + 0.3 * (100 / 12 if 8 <= hour < 20 else 0) + 0.04
    for hour in range(24)
)

OUT, IN, ON_NET = 0.55, 0.40, 0.05
ANSWERED = {"out": 0.84, "in": 0.90, "on_net": 0.92}
UNANSWERED = {"NO ANSWER": 60, "CANCEL": 20, "BUSY": 12, "FAILED": 8}

# Talk: log-logistic median in seconds and shape.
TALK = {"out": (120, 1.5), "in": (200, 1.9), "on_net": (50, 1.35)}
TALK_LONGEST_S = 10800
SHORT_TALK = 0.06  # voice mail, wrong number: 1 to 5 s
SESSION_CAP = 0.0002  # cut off at exactly two hours
RING_NONE = 0.30  # answered at once by a queue
RING_MEDIAN_S, RING_SIGMA, RING_LONGEST_S = 8, 0.8, 60

# Whom a number outside is: kind → weight.
DESTINATIONS = {"mobile": 25, "area": 45, "other_area": 20, "service": 5, "abroad": 5}
MOBILE_CODES = {"29": 55, "33": 20, "44": 20, "25": 5}
AREA_CODES = {"17": 70, "15": 6, "16": 6, "21": 6, "22": 6, "23": 6}
SERVICE_NUMBERS = ("101", "102", "103", "104", "115", "185", "88011000303", "88013000660")
ABROAD = {  # country code and digits after it → weight
    ("7495", 7): 30,
    ("7812", 7): 15,
    ("4822", 7): 12,
    ("370", 8): 8,
    ("38044", 7): 8,
    ("4930", 8): 6,
    ("371", 8): 4,
    ("420", 9): 3,
    ("90212", 7): 3,
    ("8610", 8): 2,
}
ANONYMOUS = 0.01  # callers who hide their number

# Calls of several records, share of those that were answered.
FAIL_OVER, TRANSFER, PARALLEL = 0.01, 0.02, 0.005

# What goes wrong in files, share of records.
DEFECTS = {
    "twice": 0.003,
    "no_answer_stamp": 0.003,
    "answer_before_start": 0.002,
    "end_off_by_one": 0.002,
    "null_text": 0.004,
}
REJECTED = 0.001  # records of nonsense put between the others
NOBODYS = 0.003  # calls between numbers that are not ours
LATE = 0.02  # records of a file's last day that only come with the next file


def day_weight(day: date) -> float:
    """Share of a usual week's calls that falls on `day`."""
    weight = WEEKDAYS[day.weekday()]
    return weight * HOLIDAY if is_holiday(day) else weight
