"""What a reflector expects to be sent, and why it refuses what it is sent instead.

Contract: REFL-03, REFL-23, REFL-41.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.record import Record, RecordList
from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.apimachinery.unstructured import Unstructured, with_type

Expectation = type[Any] | Unstructured | GroupVersionKind | None
"""A class, an example with apiVersion and kind, a kind, or anything at all."""

_TABLES = ("meta.k8s.io/v1", "meta.k8s.io/v1beta1")


class Expected:
    """The kind of a collection. Immutable."""

    def __init__(self, what: Expectation, description: str = "") -> None:
        self.kind: type[Any] = what if isinstance(what, type) else Unstructured
        self.gvk = _gvk_of(what)
        self.description = description or _described(what, self.gvk)
        self.make: Callable[[Record], Any] = getattr(self.kind, "from_record", Unstructured.from_record)
        self._dynamic = issubclass(self.kind, Unstructured)
        self._kind = b'"%s"' % self.gvk.kind.encode() if self.gvk else b""
        self._version = b'"%s"' % self.gvk.api_version.encode() if self.gvk else b""

    def refusal(self, record: Record, *, named: bool = True) -> str | None:
        """Why an event's object cannot be taken, or None. Bookmarks need no name."""
        parts = record.parts
        if "metadata" not in parts:
            return f"object has no meta: {record!r}"
        if named and not record.name:
            return f"the object has no name: {record!r}"
        if parts.get("kind", self._kind) == self._kind and parts.get("apiVersion", self._version) == self._version:
            return None
        return self._wrong_kind(record)

    def _wrong_kind(self, record: Record) -> str | None:
        kind, version = record.text("kind"), record.text("apiVersion")
        if self.gvk is None:
            table = self._dynamic and _is_table(version, kind)
            return f"expected type {self.description}, but got a Table, which is not supported" if table else None
        if kind in ("", self.gvk.kind) and version in ("", self.gvk.api_version):
            return None  # the same, written differently
        return f"expected {self.gvk}, but got {version}, Kind={kind}"

    def taken_from(self, found: RecordList) -> tuple[list[Record], list[str]]:
        """The records of a list, and why some were left out. Raises ValueError for a Table."""
        if self._dynamic and _is_table(found.api_version, found.kind):
            raise ValueError(f"a list of kind {found.kind} in {found.api_version} is not supported")
        records = found.records
        if self._dynamic:
            kind = found.kind.removesuffix("List")
            records = [with_type(record, found.api_version, kind) for record in records]
        nameless = [record for record in records if not record.name]
        if nameless:
            records = [record for record in records if record.name]
        return records, [f"the object has no name: {record!r}" for record in nameless]


def _is_table(api_version: str, kind: str) -> bool:
    return kind == "Table" and api_version in _TABLES


def _gvk_of(what: Expectation) -> GroupVersionKind | None:
    if isinstance(what, GroupVersionKind):
        return what
    if isinstance(what, Unstructured):
        return what.gvk if what.kind and what.api_version else None
    info = what.__info__ if isinstance(what, type) and issubclass(what, Object) else None
    return info.gvk if info is not None else None


def _described(what: Expectation, gvk: GroupVersionKind | None) -> str:
    if what is None:
        return "<unspecified>"
    if isinstance(what, type):
        return what.__name__
    return str(gvk) if gvk else type(what).__name__
