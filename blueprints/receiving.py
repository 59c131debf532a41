"""Requests that bring files: let in as large as a page says, and written to the data dir meanwhile.

A view that receives files is marked with `security.receives_files`.
"""

import tempfile
from pathlib import Path
from typing import IO

from flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from blueprints.security import check_no_nul
from texts import gettext

FIELDS_MB = 1  # room for the fields of the form beside the files
MB = 1 << 20


class UploadTooLarge(RequestEntityTooLarge):
    """More than may be sent at once: 413 with the limit of the page."""

    def __init__(self, limit_mb: int) -> None:
        super().__init__()
        self._limit_mb = limit_mb

    @property
    def text(self) -> str:
        """The sentence for the page."""
        sentence = gettext("Send less at once: the limit is {limit} MB. A packed file is smaller.")
        return sentence.format(limit=self._limit_mb)


def receive(folder: Path, *, limit_mb: int, most_files: int | None = None) -> None:
    """Read this request, whose files may take `limit_mb` together; they lie in `folder` until it is
    answered, under no name at all, and each is an open one. Raises `UploadTooLarge`, also for more
    than `most_files`.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    opened: list[IO[bytes]] = []

    def open_file(*_about: object, **_more: object) -> IO[bytes]:
        if len(opened) == most_files:
            raise RequestEntityTooLarge
        opened.append(tempfile.TemporaryFile(dir=folder))  # noqa: SIM115 - read later
        return opened[-1]

    received = request._get_current_object()  # type: ignore[attr-defined]
    received.max_content_length = (limit_mb + FIELDS_MB) * MB
    received._get_file_stream = open_file
    try:
        check_no_nul(received.form)  # reads the whole request
        check_no_nul(
            MultiDict(
                (name, file.filename or "") for name, file in received.files.items(multi=True)
            )
        )
    except BaseException as error:
        for file in opened:
            file.close()
        if isinstance(error, RequestEntityTooLarge):
            raise UploadTooLarge(limit_mb) from error
        raise
