"""Archives made to do harm, and a process that opens each as an import does: how it ended, and what
memory it took. `python -m tests.security.bombs --mb 64`.

The bombs are put together by hand: making a large one honestly would take longer than refusing it.
"""

import argparse
import gzip
import io
import json
import re
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from pathlib import Path

from domain.cdr.archives import RefusedArchive
from domain.cdr.source import Source
from services.imports import look_inside

MB = 1 << 20
END = struct.Struct("<4s4H2LH")
END_64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR = struct.Struct("<4sLQL")
IN_64 = 0xFFFFFFFF


def zeros(mb):
    """Raw deflate of `mb` MB of zeros, in a moment: one block, again and again."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(MB)) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * mb + packer.flush()


def local(name, packed, size, method=8):
    """A member as it stands in a zip."""
    head = (b"PK\x03\x04", 20, 0, method, 0, 0x21, 0, len(packed), size, len(name), 0)
    return struct.pack("<4s5H3L2H", *head) + name + packed


def central(name, packed_size, size, at, method=8, mode=0):
    """The same member as the list of members names it."""
    sizes = (method, 0, 0x21, 0, packed_size, size, len(name), 0, 0, 0, 0, mode << 16, at)
    return struct.pack("<4s4B4HL2L5H2L", b"PK\x01\x02", 20, 3, 20, 0, 0, *sizes) + name


def end(count, size, at):
    return END.pack(b"PK\x05\x06", 0, 0, count, count, size, at, 0)


def one_member(mb, declared):
    """A zip of zeros that declares a size of its own."""
    packed = zeros(mb)
    first = local(b"a.csv", packed, declared)
    listed = central(b"a.csv", len(packed), declared, 0)
    return first + listed + end(1, len(listed), len(first))


def overlapping(count, mb):
    """Many members that are all one and the same place."""
    packed = zeros(mb)
    first = local(b"0.csv", packed, mb * MB)
    listed = b"".join(central(b"%03d.csv" % n, len(packed), mb * MB, 0) for n in range(count))
    return first + listed + end(count, len(listed), len(first))


def many_members(count, *, lie):
    """A list of very many members; with `lie` a second, modest end is where the locator points."""
    first = local(b"a", b"x", 1, 0)
    modest = END_64.pack(b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, 47, len(first)) if lie else b""
    at = len(first) + len(modest)
    listed = b"".join(central(b"%07d" % n, 1, 1, 0, 0) for n in range(count))
    true = END_64.pack(b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, len(listed), at)
    place = len(first) if lie else at + len(listed)
    locator = LOCATOR.pack(b"PK\x06\x07", 0, place, 1)
    return first + modest + listed + true + locator + end(0xFFFF, IN_64, IN_64)


def few_by_its_end(count):
    """A list of very many members whose end says that it is short."""
    first = local(b"a", b"x", 1, 0)
    listed = b"".join(central(b"%07d" % n, 1, 1, 0, 0) for n in range(count))
    return first + listed + end(1, 53, len(first))


def honest_zip(*files, mode=0):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return out.getvalue()


def gzip_of(mb):
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + zeros(mb) + struct.pack("<2L", 0, (mb * MB) & IN_64)


def nested(depth):
    data = b"1,2,3\n"
    for n in range(depth):
        data = honest_zip((f"{n}.zip", data))
    return data


def bombs(mb, members):
    """(name, bytes), `mb` and `members` being how large the large ones are."""
    yield "gzip of zeros", lambda: gzip_of(mb)
    yield "gzip of many gzips", lambda: gzip.compress(bytes(MB)) * mb
    yield "zip that declares zeros", lambda: one_member(mb, mb * MB)
    yield "zip that declares little", lambda: one_member(mb, 1000)
    yield "zip that declares 4 GB", lambda: one_member(1, IN_64 - 1)
    yield "members at one place", lambda: overlapping(999, mb)
    yield "very many members", lambda: many_members(members, lie=False)
    yield "very many members behind a lie", lambda: many_members(members, lie=True)
    yield "very many members, said to be one", lambda: few_by_its_end(members)
    yield "zips in zips", lambda: nested(30)
    yield "zip in gzip", lambda: gzip.compress(nested(2))
    yield "gzip in zip", lambda: honest_zip(("a.gz", gzip_of(mb)))
    yield "gzips in gzips", lambda: gzip.compress(gzip.compress(gzip_of(mb)))
    yield "link to a file", lambda: honest_zip(("a.csv", "/etc/passwd"), mode=0o120777)
    yield "link upwards", lambda: honest_zip(("a.csv", "../../secret"), mode=0o120777)
    yield "name upwards", lambda: honest_zip(("../../secret", "x"))
    yield "end in the middle", lambda: honest_zip(("a.csv", "x"))[:-9]


def open_one(path):
    """Read a file as far as it lets itself be read; the lines, or why not."""
    lines = 0
    try:
        for member in look_inside(path):
            lines += sum(1 for _ in Source(member.open).lines())
    except RefusedArchive as refusal:
        return f"refused: {refusal}"
    return f"read: {lines} lines"


def open_all(folder):
    """What became of each bomb in a folder, and how this process has grown by them."""
    results, before = {}, peak_mb()
    for path in sorted(Path(folder).iterdir()):
        started = time.monotonic()
        told = open_one(path)
        seconds = round(time.monotonic() - started, 2)
        results[path.name[3:]] = {"told": told, "seconds": seconds, "kb": path.stat().st_size >> 10}
    return {"bombs": results, "grown_mb": peak_mb() - before}


def peak_mb():
    """The most memory this program has had; `ru_maxrss` begins with that of the one before exec."""
    status = Path("/proc/self/status").read_text("ascii", "replace")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) >> 10


def try_all(mb, members):
    """Make the bombs here and open them in a process that has made none."""
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, make) in enumerate(bombs(mb, members)):
            (Path(folder) / f"{number:02} {name}").write_bytes(make())
        command = [sys.executable, "-m", "tests.security.bombs", "--open", folder]
        root = Path(__file__).parents[2]
        done = subprocess.run(command, cwd=root, capture_output=True, check=True)  # noqa: S603
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mb", type=int, default=128)
    parser.add_argument("--members", type=int, default=20_000)
    parser.add_argument("--open", help="a folder of bombs made before")
    asked = parser.parse_args()
    told = open_all(asked.open) if asked.open else try_all(asked.mb, asked.members)
    json.dump(told, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
