"""Records: API objects as caches keep them, immutable and mostly undecoded.

A record holds the top-level parts of an object as the bytes that came (`metadata`, `spec`, `status`, whatever the
document has) beside the few facts every cache needs. Making one takes a single scan to find where each part begins
and ends, and a small decode of the metadata. Nothing in a record is tracked by the cyclic garbage collector, and
nothing in it refers to the response it was cut from.

Records are shared between threads freely, because nobody changes one: neither `parts` nor `labels` may be written to.
"""

from __future__ import annotations

from collections.abc import Mapping
from sys import intern
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import Raw
from msgspec.json import Decoder, encode

from k8srt.apimachinery.meta import ListMeta
from k8srt.errors import DecodeError


class Record(msgspec.Struct, frozen=True, gc=False, eq=False, repr_omit_defaults=True):
    """One object at one version. Equal when every part has the same bytes."""

    parts: dict[str, bytes]
    namespace: str = ""
    name: str = ""
    uid: str = ""
    resource_version: str = ""
    labels: dict[str, str] = {}

    @property
    def key(self) -> str:
        """`namespace/name`, or just the name when there is no namespace. Contract: CACHE-01."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    def text(self, part: str) -> str:
        """A part that is a plain string (`kind`, `apiVersion`, `type`), decoded; "" when absent."""
        raw = self.parts.get(part)
        return str(msgspec.json.decode(raw)) if raw else ""

    def __eq__(self, other: object) -> bool:
        return self.parts == other.parts if isinstance(other, Record) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<Record {self.text('kind') or 'object'} {self.key} rv={self.resource_version or '-'}>"


class RecordList(NamedTuple):
    """A list as it came: what it says of itself, and a record per item."""

    api_version: str
    kind: str
    metadata: ListMeta
    records: list[Record]


class WatchRecord(NamedTuple):
    """One event of a watch: its type as on the wire, and the object (for ERROR a Status) as a record."""

    type: str
    record: Record


_ABSENT = Raw(b"null")


class _Facts(msgspec.Struct, gc=False):
    namespace: str | None = None
    name: str | None = None
    uid: str | None = None
    resourceVersion: str | None = None
    labels: Raw = _ABSENT


class _List(msgspec.Struct, gc=False):
    items: list[dict[str, Raw]] | None = None
    apiVersion: str | None = None
    kind: str | None = None
    metadata: ListMeta | None = None


class _Event(msgspec.Struct, gc=False):
    type: Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]
    object: dict[str, Raw]


# A cache holds thousands of objects with the same few kinds, namespaces and label values: they share one copy of each.
_SHARED_PARTS = ("kind", "apiVersion")
_shared = dict[bytes, bytes]().setdefault
_label_sets: dict[bytes, dict[str, str]] = {}
_MAX_LABEL_SETS = 4096
_NO_FACTS = _Facts()
_parts_of = Decoder(dict[str, Raw]).decode
_facts_of = Decoder(_Facts).decode
_decode_labels = Decoder(dict[str, str | None] | None).decode
_list_of = Decoder(_List).decode
_event_of = Decoder(_Event).decode


def decode_record(data: bytes) -> Record:
    """Read one JSON object. Raises DecodeError when it is not an object, or its metadata is malformed."""
    try:
        return record_of(_parts_of(data))
    except msgspec.MsgspecError as err:
        raise decode_error("object", data, err) from err


def decode_record_list(data: bytes) -> RecordList:
    """Read a list response: one scan, then the facts of each item. Raises DecodeError."""
    try:
        found = _list_of(data)
        records = [record_of(item) for item in found.items or ()]
    except msgspec.MsgspecError as err:
        raise decode_error("list", data, err) from err
    return RecordList(found.apiVersion or "", found.kind or "", found.metadata or ListMeta(), records)


def decode_event(line: bytes | memoryview) -> WatchRecord:
    """Read one watch event. Raises DecodeError for a cut or malformed line, or an unknown type of event."""
    try:
        event = _event_of(line)
        return WatchRecord(event.type, record_of(event.object))
    except msgspec.MsgspecError as err:
        raise decode_error("watch event", line, err) from err


def record_of(parts: Mapping[str, Raw]) -> Record:
    """Make a record of undecoded parts, copying each, so that the document they lie in can go."""
    own = {key: bytes(raw) for key, raw in parts.items()}
    for key in _SHARED_PARTS:
        if (part := own.get(key)) is not None:
            own[key] = _shared(part, part)
    return record_from_parts(own)


def record_from_parts(parts: dict[str, bytes]) -> Record:
    """Make a record of parts that are bytes already; `parts` must not be changed afterwards."""
    metadata = parts.get("metadata")
    facts = (_facts_of(metadata) if metadata and metadata != b"null" else None) or _NO_FACTS
    return Record(
        parts,
        intern(facts.namespace or ""),
        facts.name or "",
        facts.uid or "",
        facts.resourceVersion or "",
        _labels_of(bytes(facts.labels)),
    )


def _labels_of(raw: bytes) -> dict[str, str]:
    """The labels that `raw` spells. All replicas of a workload have the same ones, and share one dict."""
    labels = _label_sets.get(raw)
    if labels is None:
        labels = {key: intern(value or "") for key, value in (_decode_labels(raw) or {}).items()}
        if len(_label_sets) >= _MAX_LABEL_SETS:
            _label_sets.clear()
        _label_sets[raw] = labels
    return labels


def encode_record(record: Record) -> bytes:
    """Write a record as JSON: every part as the very bytes it came in."""
    return encode({key: Raw(part) for key, part in record.parts.items()})


def decode_error(what: str, data: bytes | memoryview, err: Exception, limit: int = 120) -> DecodeError:
    """A DecodeError that shows the beginning of what could not be read."""
    shown = bytes(data[:limit]).decode("utf-8", "replace")
    more = f"… ({len(data)} bytes)" if len(data) > limit else ""
    return DecodeError(f"malformed {what}: {err}: {shown!r}{more}")


def parts_from(document: Mapping[str, Any]) -> dict[str, bytes]:
    """Encode each top-level value of a plain dict. Raises TypeError for what JSON cannot hold."""
    return {str(key): encode(value) for key, value in document.items() if value is not None}
