"""Where numbers without a price lead to: groups that a person can decide on, by country or by
network. What a number costs never depends on this.
"""

SHORT = 6  # digits at most of a number that is a group by itself: a service, an extension
HEAD = 6  # leading digits that are enough to tell the group of a longer one
HOME = "375"
ANY = "*"  # at the end of a group: all longer numbers that begin so
_ONE_DIGIT = "17"
_TWO_DIGITS = (  # the second digits of country codes of two, by their first
    ("2", "07"),
    ("3", "0123469"),
    ("4", "013456789"),
    ("5", "12345678"),
    ("6", "0123456"),
    ("8", "1246"),
    ("9", "0123458"),
)


def destination_of(peer: str) -> str:
    """The group of a number: its country, in Belarus its network or town; a short number itself.

    >>> [destination_of(peer) for peer in ("48221112233", "375291112233", "74951112233", "112")]
    ['48*', '37529*', '7*', '112']
    """
    return peer if len(peer) <= SHORT else group_of_head(peer[:HEAD])


def group_of_head(head: str) -> str:
    """The same, by the first HEAD characters of a number that is longer than SHORT."""
    if not head.isdigit():
        return head + ANY
    if head.startswith(HOME):
        return head[:5] + ANY
    is_of_two = any(head[0] == first and head[1] in second for first, second in _TWO_DIGITS)
    length = 1 if head[0] in _ONE_DIGIT else 2 if is_of_two else 3
    return head[:length] + ANY
