"""Sums in words as primary documents want them: roubles in words, kopecks in digits (Ministry of
Finance, 2016). Russian only: a document's words are those of the country's books.
"""

from typing import NamedTuple


class Noun(NamedTuple):
    """A counted noun: with 1, with 2 to 4, with all others; and whether it is feminine."""

    one: str
    few: str
    many: str
    is_feminine: bool = False


ROUBLE = Noun("белорусский рубль", "белорусских рубля", "белорусских рублей")
KOPECK = Noun("копейка", "копейки", "копеек", is_feminine=True)
THOUSANDS = (
    Noun("тысяча", "тысячи", "тысяч", is_feminine=True),
    Noun("миллион", "миллиона", "миллионов"),
    Noun("миллиард", "миллиарда", "миллиардов"),
)
ONES = (
    *("", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять", "десять"),
    *("одиннадцать", "двенадцать", "тринадцать", "четырнадцать", "пятнадцать", "шестнадцать"),
    *("семнадцать", "восемнадцать", "девятнадцать"),
)
FEMININE = {1: "одна", 2: "две"}
TENS = (
    *("", "", "двадцать", "тридцать", "сорок", "пятьдесят", "шестьдесят", "семьдесят"),
    *("восемьдесят", "девяносто"),
)
HUNDREDS = (
    *("", "сто", "двести", "триста", "четыреста", "пятьсот", "шестьсот", "семьсот"),
    *("восемьсот", "девятьсот"),
)


def in_words(kopecks: int) -> str:
    """A sum, with a capital; less than nothing begins with «Минус».

    >>> in_words(12507)
    'Сто двадцать пять белорусских рублей 07 копеек'
    >>> in_words(100_121)
    'Одна тысяча один белорусский рубль 21 копейка'
    """
    roubles, rest = divmod(abs(kopecks), 100)
    words = [*(["минус"] if kopecks < 0 else []), *_number(roubles), form(roubles, ROUBLE)]
    return f"{' '.join(words).capitalize()} {rest:02} {form(rest, KOPECK)}"


def form(number: int, noun: Noun) -> str:
    """The noun as it stands with a number.

    >>> [form(n, KOPECK) for n in (1, 2, 5, 11, 21, 112)]
    ['копейка', 'копейки', 'копеек', 'копеек', 'копейка', 'копеек']
    """
    if number % 100 in range(11, 15):
        return noun.many
    return {1: noun.one, 2: noun.few, 3: noun.few, 4: noun.few}.get(number % 10, noun.many)


def _number(number: int) -> list[str]:
    """A whole number below a thousand billions, in words."""
    if number == 0:
        return ["ноль"]
    words = _triple(number % 1000, is_feminine=False)
    for noun in THOUSANDS:
        number //= 1000
        if triple := number % 1000:
            words = [*_triple(triple, is_feminine=noun.is_feminine), form(triple, noun), *words]
    return words


def _triple(number: int, *, is_feminine: bool) -> list[str]:
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10) if rest >= len(ONES) else (0, rest)
    last = FEMININE.get(ones) if is_feminine else None
    return [word for word in (HUNDREDS[hundreds], TENS[tens], last or ONES[ones]) if word]
