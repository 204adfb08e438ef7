"""The answer to one request. Contract: REST-28 to REST-30."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from k8srt.apimachinery.model import Struct
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.objectlist import ObjectList
from k8srt.apimachinery.record import Record, RecordList, decode_record, decode_record_list
from k8srt.apimachinery.wire import decoder
from k8srt.errors import DecodeError, status_error
from k8srt.rest.status import UNREADABLE, Target, failure_in, noted
from k8srt.rest.warnings import Warning_

_STATUS_AT_MOST = 4096
_LISTS = ("List", "Table")

R = TypeVar("R", bound="Object | ObjectList[Any] | Struct")


class Result:
    """A success: its code, headers, warnings, and body, which is decoded when asked for. Immutable."""

    __slots__ = ("_body", "headers", "status_code", "target", "warnings")

    def __init__(
        self, status_code: int, headers: Mapping[str, str], body: bytes, target: Target, warnings: list[Warning_]
    ) -> None:
        self.status_code = status_code
        self.headers = headers
        self._body = body
        self.target = target
        self.warnings = warnings

    @property
    def was_created(self) -> bool:
        return self.status_code == 201

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")

    def raw(self) -> bytes:
        """The body as it came, decompressed; may be empty."""
        return self._body

    def into(self, cls: type[R]) -> R:
        """Decode into a kind, a list of a kind, or a plain struct such as `Status`.

        Raises DecodeError naming the request for a body that is empty or something else, StatusError when it is a
        Status that reports a failure although the code was a success.
        """
        body = self._checked()
        try:
            if issubclass(cls, Struct):
                return cast("R", decoder(cls).decode(body))
            if issubclass(cls, ObjectList):
                return cast("R", cls.of(cls.item, _list_in(body)))
            return cast("R", cls.decode(body))
        except (DecodeError, *UNREADABLE) as err:
            raise self._malformed(err) from err

    def record(self) -> Record:
        """The body as a record. Raises as `into`."""
        body = self._checked()
        try:
            return decode_record(body)
        except (DecodeError, RecursionError) as err:
            raise self._malformed(err) from err

    def records(self) -> RecordList:
        """The body as a list of records. Raises as `into`."""
        body = self._checked()
        try:
            return _list_in(body)
        except (DecodeError, RecursionError) as err:
            raise self._malformed(err) from err

    def _checked(self) -> bytes:
        if not self._body:
            raise DecodeError(
                f"{self.target}: 0-length response with status code {self.status_code}, "
                f"content type {self.content_type!r}"
            )
        # A Status is small: a list of many megabytes is not read twice.
        if b'"Status"' in self._body[:_STATUS_AT_MOST] and (status := failure_in(self._body)) is not None:
            raise noted(status_error(status), self.target)
        return self._body

    def _malformed(self, err: Exception) -> DecodeError:
        where = f"{self.target.verb} {self.target.url}"
        return DecodeError(f"{where}: cannot read the answer ({self.content_type or 'no content type'}): {err}")

    def __repr__(self) -> str:
        return f"<Result {self.status_code} of {self.target}, {len(self._body)} bytes>"


def _list_in(body: bytes) -> RecordList:
    """The list a body holds. An object without items is none, though it reads like an empty one: a cache that believed
    it would lose all it has."""
    found = decode_record_list(body)
    if not found.records and found.kind and not found.kind.endswith(_LISTS) and b'"items"' not in body:
        raise DecodeError(f"a {found.kind} is no list")
    return found
