"""Lines whose quotes went wrong: written by programs that quote every field and escape nothing, or
escape by a backslash.
"""

import csv
import re
from collections.abc import Iterator


def readings(line: str, delimiter: str) -> Iterator[list[str]]:
    """Other ways to cut a line into fields than the usual one, the likelier first."""
    line = line.rstrip("\r\n")
    if '\\"' in line:
        yield next(csv.reader([line.replace('\\"', '""')], delimiter=delimiter), [])
    if line.startswith('"'):
        edge = f'["{re.escape(delimiter)}]'  # what may stand before and after a real delimiter
        pieces = re.split(rf"(?<={edge}){re.escape(delimiter)}\s?(?={edge}|$)", line)
        yield [_bare(piece) for piece in pieces]


def _bare(field: str) -> str:
    """A field without the quotes around it, those inside made single."""
    if len(field) > 1 and field[0] == field[-1] == '"':
        field = field[1:-1]
    return field.replace('""', '"')
