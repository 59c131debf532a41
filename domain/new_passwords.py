"""What a password that a person chooses must not be. Length counts, not kinds of signs: rules about
digits and capitals make passwords that are written on paper.
"""

import itertools
import unicodedata

from domain.errors import PasswordIsName, PasswordTooLong, PasswordTooShort, WeakPassword

LEAST, MOST = 8, 1024  # characters
# What is tried first, everywhere: whole passwords, folded, of eight signs and more.
COMMON = frozenset(
    """
    password password1 password12 password123 passw0rd p@ssw0rd p@ssword passwort parol123
    12345678 123456789 1234567890 0123456789 87654321 987654321 11111111 00000000 12344321
    123123123 123321123 11223344 1q2w3e4r 1q2w3e4r5t 1qaz2wsx qazwsxedc qwertyui qwertyuiop
    qwerty12 qwerty123 qwerty1234 qwer1234 asdfghjk asdfghjkl zxcvbnm1 abcd1234 abc12345 a1b2c3d4
    iloveyou sunshine princess football baseball superman starwars trustno1 welcome1 welcome123
    admin123 administrator changeme letmein1 computer internet samsung1 test1234 minsk2026
    йцукенгш йцукен12 йцукен123 фывапролд пароль12 пароль123 любовь123 наташа12 беларусь минск2026
    """.split()  # noqa: SIM905 - read by people
)


def check_new_password(password: str, *, names: tuple[str, ...] = ()) -> str:
    """`password`, when it can be one; `names` are the login and what else is known of its owner.

    Raises a `WeakPassword` that says why not.

    >>> check_new_password("korova na lugu")
    'korova na lugu'
    """
    folded = unicodedata.normalize("NFC", password).casefold()
    if len(password) < LEAST:
        raise PasswordTooShort(least=LEAST)
    if len(password) > MOST:
        raise PasswordTooLong(most=MOST)
    if folded in COMMON or len(set(folded)) < 3 or _is_a_row(folded):
        raise WeakPassword
    if folded in {name.strip().casefold() for name in names}:
        raise PasswordIsName
    return password


def _is_a_row(text: str) -> bool:
    """Whether each sign follows the one before: abcdefgh, 87654321."""
    steps = {ord(after) - ord(before) for before, after in itertools.pairwise(text)}
    return steps in ({1}, {-1})
