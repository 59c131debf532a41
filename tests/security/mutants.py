"""Files of call records gone wrong in every way we could think of, from a seed; and a process that
imports them and says what happened: `python -m tests.security.mutants --count 200 --seed 1`.

It is a process of its own so that its memory can be measured, and so that a crash is one.
"""

import argparse
import gzip
import io
import json
import random
import re
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from itertools import chain
from pathlib import Path

from domain.cdr import registry
from domain.cdr.column_map import parse_map
from domain.cdr.dates import DateOrder
from domain.cdr.source import Source
from domain.errors import DomainError
from domain.roles import Role
from models import Call, ImportRun
from services import clock, import_turns, imports, upload_work, uploads, verify
from services.import_requests import ImportRequest
from tests import factories
from tests.apps import another_app
from tests.domain.cdr.test_detection import SAMPLES

MAP = parse_map(
    b"[columns]\nstart = 1\ncaller = 2\ncalled = 3\nbillable = 4\n[file]\nheader = false\n"
)
GENERIC = "10.03.2026 12:00:00;101;80291234567;60\n" * 3
# Formats told by lines: in JSON and XML a record is one.
BY_RECORDS = {"freeswitch-json", "broadworks-xml", "yeastar-json", "grandstream-json"}
ENCODINGS = ("cp1251", "koi8-r", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp866")
TOKENS = (
    *(b"", b"-1", b"+375291234567", b"=1+1", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\x1b[31m"),
    *(b"NaN", b"Infinity", b"1e308", b"-1e308", b"9" * 30, b"9" * 5000, b"0x7f", b"1_000"),
    *(b"9223372036854775807", b"9223372036854775808", b"-9223372036854775809", b"253402300800"),
    *(b"9999-99-99 99:99:99", b"0001-01-01 00:00:00", b"2026-02-30 12:00:00", b"31.02.2026"),
    *(b"2026-03-29 02:30:00", b"0000-00-00", b"12:60:60", b"24:00:00", b"-00:00:01"),
    *("١٢٣٤".encode(), "²³".encode(), "Ⅷ".encode(), "\u2028\u2029\x85".encode(), b"\xed\xa0\x80"),
    *(b'"', b'""', b'\\"', b"'", b";", b",", b"|", b"\t", b"\r", b"\n", b"\r\n", b"\x0b\x0c\x1c"),
    *(b"{", b"}", b"[", b"]", b"[" * 3000, b'{"a":' * 3000, b"\\ud800", b"\\u0000", b"null"),
    *(b"<", b">", b"&lt;", b"&bomb;", b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"<cdrData>", b"]]>"),
    *(b"../../etc/passwd", b"%s%n", b"{0.__class__}", b"x" * 70_000, b"Call,", b"#"),
)


def seeds():
    """(format, good file of it), all in bytes."""
    texts = [(name, text) for name, contents in SAMPLES.items() for text in contents]
    return [(name, text.encode()) for name, text in [*texts, ("generic", GENERIC)]]


# --- Ways to go wrong: (random, bytes, all seeds) → bytes -----------------------------------------


def flip_bits(dice, data, _seeds):
    out = bytearray(data)
    for _ in range(dice.randint(1, 20)):
        out[dice.randrange(len(out))] ^= 1 << dice.randrange(8)
    return bytes(out)


def put_token(dice, data, _seeds):
    at = dice.randrange(len(data) + 1)
    return data[:at] + dice.choice(TOKENS) + data[at + dice.choice((0, 0, 1, 5)) :]


def replace_field(dice, data, _seeds):
    sign = dice.choice((b",", b";", b'"', b"|", b":", b"<", b">"))
    fields = data.split(sign)
    fields[dice.randrange(len(fields))] = dice.choice(TOKENS)
    return sign.join(fields)


def cut_end(dice, data, _seeds):
    return data[: dice.randrange(len(data) + 1)]


def cut_start(dice, data, _seeds):
    return data[dice.randrange(len(data) + 1) :]


def drop_slice(dice, data, _seeds):
    at = dice.randrange(len(data) + 1)
    return data[:at] + data[at + dice.randint(1, 50) :]


def repeat_slice(dice, data, _seeds):
    at = dice.randrange(len(data) + 1)
    return data[:at] + data[at : at + dice.randint(1, 200)] * dice.randint(2, 200) + data[at:]


def shuffle_lines(dice, data, _seeds):
    lines = data.splitlines(keepends=True)
    dice.shuffle(lines)
    return b"".join(lines)


def shuffle_columns(dice, data, _seeds):
    sign = dice.choice((b",", b";", b"|", b"\t"))
    rows = [line.split(sign) for line in data.splitlines()]
    order = list(range(max(map(len, rows), default=0)))
    dice.shuffle(order)
    return b"\n".join(sign.join(row[n] for n in order if n < len(row)) for row in rows)


def other_line_ends(dice, data, _seeds):
    return data.replace(b"\n", dice.choice((b"\r", b"\r\n", b"\n\r", b"\n\n", b"", b"\x85", b"\0")))


def other_encoding(dice, data, _seeds):
    return data.decode("utf-8", "replace").encode(dice.choice(ENCODINGS), "replace")


def sprinkle_nul(dice, data, _seeds):
    out = bytearray(data)
    for _ in range(dice.randint(1, 30)):
        out.insert(dice.randrange(len(out) + 1), 0)
    return bytes(out)


def add_noise(dice, data, _seeds):
    noise = dice.randbytes(dice.randint(1, 3000))
    return dice.choice((data + noise, noise + data, noise))


def splice(dice, data, everything):
    other = dice.choice(everything)[1]
    at, there = dice.randrange(len(data) + 1), dice.randrange(len(other) + 1)
    return data[:at] + other[there:]


def pack(dice, data, _seeds):
    packed = gzip.compress(data, 1)
    if dice.random() < 0.5:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(dice.choice(("a.csv", "ж.csv", "a/b.csv", "../a", "a\\b")), data)
        packed = out.getvalue()
    return flip_bits(dice, packed, ()) if dice.random() < 0.5 else packed


WAYS = (
    *(flip_bits, put_token, put_token, replace_field, replace_field, replace_field, cut_end),
    *(cut_start, drop_slice, repeat_slice, shuffle_lines, shuffle_columns, other_line_ends),
    *(other_encoding, sprinkle_nul, add_noise, splice, pack),
)


def mutants(count, seed):
    """`count` of (random, format, file), each file gone wrong in one to six ways; before most of
    them stands a good one, so that they are taken for what they were. The same seed gives the same.
    """
    dice = random.Random(seed)  # noqa: S311 - a repeatable test
    everything = seeds()
    for _ in range(count):
        name, good = dice.choice(everything)
        data = good * dice.choice((1, 1, 3, 20))
        for _ in range(dice.randint(1, 6)):
            data = dice.choice(WAYS)(dice, data, everything) if data else dice.choice(TOKENS)
        if dice.random() < 0.7 and not data.startswith((b"PK", b"\x1f\x8b")):
            data = good * 3 + data
        yield dice, name, data


# --- Importing them -------------------------------------------------------------------------------


class Breach(Exception):
    """Something that must hold did not."""


def import_one(dice, name, path):
    """Import a file as the command does; gives what became of it."""
    if name != "generic" or dice.random() < 0.1:
        name = dice.choice(("auto",) * 6 + (name,) * 4 + (dice.choice(list(registry.FORMATS)),))
    members = imports.look_inside(path)
    request = ImportRequest(
        path=path,
        zone=dice.choice(("UTC", "Europe/Minsk", "+03:00")),
        format_name=name,
        dates=dice.choice((None, *DateOrder)),
        column_map=MAP if name == "generic" else None,
        exchange_name=dice.choice(("", "other")),
        member=dice.choice(members),
        dry_run=dice.random() < 0.3,
        force_zone=dice.random() < 0.5,
    )
    rejects = []
    with import_turns.one_at_a_time(path.parent):
        outcome = imports.import_file(request, now=clock.now(), on_reject=rejects.append)
    if outcome.lines != sum(outcome.counts.values()):
        raise Breach(f"lines {outcome.lines} are not {outcome.counts}")
    if outcome.format not in BY_RECORDS:
        lines = sum(1 for _ in Source(request.member.open).lines())
        if outcome.lines != lines:
            raise Breach(f"{outcome.lines} of {lines} lines accounted for")
    if len(rejects) != outcome.rejected or not all(r.reason and r.line > 0 for r in rejects):
        raise Breach("a refused line without its place or reason")
    return "read"


def upload_one(path, user):
    """Send a file as the browser does, and let the job read it."""
    with path.open("rb") as stream:
        upload = uploads.Upload(zone="UTC", check_only=False)
        runs = uploads.take("a.csv", stream, upload, user=user, ip="", now=clock.now())
    for each in runs:
        upload_work.work(each.id, time_over=TimeoutError)
        done = ImportRun.get_by_id(each.id)
        if ":" in done.error or done.state not in {"done", "failed"}:
            raise Breach(f"an upload ended as {done.state}: {done.error}")
    return "uploaded"


def run(count, seed, *, line_mb, keep=None):
    """Import `count` mutants and lines of `line_mb` MB; what happened, as a dictionary."""
    started = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        another_app(Path(folder) / "var") as app,
        app.app_context(),
    ):
        app.extensions["cabinet-queue"]._silent_until = float("inf")  # there is no Redis
        told, failures = import_all(count, seed, line_mb, Path(folder) / "mutant", keep)
        breaches = [f"{each.check}: {each.detail}" for each in verify.run()]
        calls = Call.select().count()
    return {
        "files": count,
        "told": dict(told),
        "failures": failures,
        "breaches": breaches,
        "calls": calls,
        "peak_mb": peak_mb(),
        "seconds": round(time.monotonic() - started, 1),
    }


def import_all(count, seed, line_mb, path, keep):
    """Import every mutant; what became of them by name, and what should not have."""
    factories.make_subscriber(number="375171234567")
    user = factories.make_user(role=Role.OPERATOR_ADMINISTRATOR)
    told, failures, peak = Counter(), [], peak_mb()
    files = chain(mutants(count, seed), long_lines(line_mb, path))
    for n, (dice, name, data) in enumerate(files):
        if data is not None:
            path.write_bytes(data)
        try:
            told[upload_one(path, user) if n % 10 == 9 else import_one(dice, name, path)] += 1
        except DomainError as refusal:
            told[f"refused: {type(refusal).__name__}"] += 1
        except Exception:  # noqa: BLE001 - that is what is looked for
            failures.append(f"mutant {n} of seed {seed}: {traceback.format_exc()}")
            if keep and data is not None:
                (Path(keep) / f"mutant-{seed}-{n}").write_bytes(data)
        if peak_mb() > peak + 20:
            peak = peak_mb()
            told[f"peak of {peak} MB at mutant {n}, {path.stat().st_size} bytes"] = 1
    return told, failures


def peak_mb():
    """The most memory this program has had; `ru_maxrss` begins with that of the one before exec."""
    status = Path("/proc/self/status").read_text("ascii", "replace")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) >> 10


def long_lines(line_mb, path):
    """Lines that have no end for a long time, between good ones. Written in pieces: what they take
    of our memory is the reader's."""
    dice = random.Random(0)  # noqa: S311
    name, good = seeds()[0]
    for form, start, sign, end in (
        (name, good, b"x", b"\n" + good),
        (name, good, b'"', b"\n" + good),
        (name, good, b"\xd0\xbf", b"\n" + good),
        ("grandstream-json", b'{"cdr_root": [{"AcctId": "', b"9", b'"}]}'),
        ("broadworks-xml", b"<broadWorksCDR><cdrData>", b"<a>", b"</cdrData></broadWorksCDR>"),
    ):
        with path.open("wb") as file:
            file.write(start)
            for _ in range(line_mb):
                file.write(sign * ((1 << 20) // len(sign)))
            file.write(end)
        yield dice, form, None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--line-mb", type=int, default=10)
    parser.add_argument("--keep", help="a folder for the files that failed")
    asked = parser.parse_args()
    json.dump(run(asked.count, asked.seed, line_mb=asked.line_mb, keep=asked.keep), sys.stdout)


if __name__ == "__main__":
    main()
