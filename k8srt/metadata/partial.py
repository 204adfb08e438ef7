"""An object of any kind, of which only the metadata is known."""

from __future__ import annotations

import logging

import msgspec

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.record import Record, RecordList, WatchRecord, decode_event, decode_record, record_from_parts
from k8srt.errors import DecodeError

log = logging.getLogger(__name__)

GROUP_VERSION = "meta.k8s.io/v1"
KIND = "PartialObjectMetadata"
LIST = f"{KIND}List"

_HEADERS = {"apiVersion": msgspec.json.encode(GROUP_VERSION), "kind": msgspec.json.encode(KIND)}


class PartialObjectMetadata(Object, gvk=f"{GROUP_VERSION}/{KIND}"):
    """What a server sends of an object to those who ask for its metadata only. It does not say which kind it is of."""

    @classmethod
    def decode(cls, data: bytes | str) -> PartialObjectMetadata:
        """Read JSON; of a whole object the metadata is taken. Raises DecodeError for what is no object."""
        return cls.from_record(partial(decode_record(data.encode() if isinstance(data, str) else data)))


# ---- from servers that do not know how to leave out the rest ------------------------------------------------------


def partial(record: Record) -> Record:
    """The metadata of an object as a record of its own. Raises DecodeError for what is no object. CLI-16."""
    kind = record.text("kind")
    if kind == KIND:
        return record
    if not _is_object(record, kind):
        about = f"{record.text('apiVersion')} {kind}".strip() or "an object without a kind"
        raise DecodeError(f"asked for metadata only, got {about}, which has none")
    return _stripped(record)


def partial_list(found: RecordList) -> RecordList:
    """The same of each item. Raises DecodeError for what is no list."""
    if found.kind == LIST:
        return found
    if not found.kind.endswith("List"):
        raise DecodeError(f"asked for a list of metadata only, got {found.api_version} {found.kind}")
    log.debug("a %s came whole where metadata was asked for", found.kind)
    records = [partial(record) for record in found.records]
    return RecordList(GROUP_VERSION, LIST, found.metadata, records)


def decode_partial_event(document: bytes | memoryview) -> WatchRecord:
    """Read an event of a watch, with the metadata of its object.

    A failure stays as it is, and a bookmark has nothing but a version. Raises DecodeError.
    """
    event = decode_event(document)
    if event.type == "ERROR":
        return event
    return WatchRecord(event.type, _stripped(event.record) if event.type == "BOOKMARK" else partial(event.record))


def _is_object(record: Record, kind: str) -> bool:
    """Whether there is enough in the metadata to believe that it is that of an object."""
    if kind == "Status" or kind.endswith("List"):
        return False
    return bool(record.uid or record.name) or b'"creationTimestamp"' in record.parts.get("metadata", b"")


def _stripped(record: Record) -> Record:
    if record.text("kind") == KIND:
        return record
    return record_from_parts({**_HEADERS, "metadata": record.parts.get("metadata", b"{}")})
