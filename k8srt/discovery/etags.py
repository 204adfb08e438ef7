"""Answers kept in files, which the server confirms by their ETag instead of sending them again.

A file holds an answer and what it was given for; it is written beside its place and moved there, so that processes may
share the folder. What cannot be read or written is as if it were not there. Contract: CLI-26.
"""

from __future__ import annotations

import hashlib
import logging
import os

import msgspec

from k8srt.discovery.files import write_file
from k8srt.errors import StatusError
from k8srt.rest.request import Request
from k8srt.rest.result import Result

log = logging.getLogger(__name__)


class _Kept(msgspec.Struct, array_like=True):
    """One answer. `about` is the request, in case two share a file name."""

    about: str
    etag: str
    content_type: str
    body: bytes


class ETags:
    """A folder of answers. Thread-safe, and safe between processes."""

    def __init__(self, folder: str) -> None:
        self._folder = os.fspath(folder)

    def fetch(self, request: Request) -> Result:
        """Send a GET request and return its answer, or the one kept when the server says that it still holds."""
        about = "\n".join((request.client.url, request.target(), request.headers.get("Accept", "")))
        kept = self._read(about)
        if kept is not None:
            request.header("If-None-Match", kept.etag)
        try:
            answer = request.do()
        except StatusError as err:
            if err.code != 304 or kept is None:
                raise
            return Result(200, {"content-type": kept.content_type, "etag": kept.etag}, kept.body, request.about(), [])
        if etag := answer.headers.get("etag", ""):
            self._write(_Kept(about, etag, answer.content_type, answer.raw()))
        return answer

    def _path(self, about: str) -> str:
        return os.path.join(self._folder, hashlib.sha256(about.encode()).hexdigest())

    def _read(self, about: str) -> _Kept | None:
        try:
            with open(self._path(about), "rb") as file:
                kept = msgspec.msgpack.decode(file.read(), type=_Kept)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as err:
            log.debug("%s: a kept answer cannot be used: %s", self._folder, err)
            return None
        return kept if kept.about == about else None

    def _write(self, kept: _Kept) -> None:
        try:
            write_file(self._path(kept.about), msgspec.msgpack.encode(kept))
        except OSError as err:
            log.debug("%s: an answer is not kept: %s", self._folder, err)
