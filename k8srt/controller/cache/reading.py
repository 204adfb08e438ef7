"""What reading from a cache has in common: errors, keys, lists."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterable, Mapping
from typing import TypedDict, TypeVar

import msgspec

from k8srt.apimachinery.fields import FieldSelector
from k8srt.apimachinery.labels import SelectorLike
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.record import Record
from k8srt.apimachinery.schema import GroupVersionKind, NamespacedName
from k8srt.errors import K8srtError, NotStarted
from k8srt.tools.cache.keys import split_meta_namespace_key
from k8srt.util.threads import Stop

T = TypeVar("T")

NO_PAGES = "continue-not-supported"


class CacheNotStarted(NotStarted):
    """The cache was read before it was started, or after its end. Contract: CCH-03."""


class ResourceNotCached(K8srtError, LookupError):
    """A kind was read of which there is no informer, and reading is to start none. Contract: CCH-02."""

    def __init__(self, gvk: GroupVersionKind) -> None:
        super().__init__(f"{gvk} is not cached; watch it, ask for its informer, or read it with api_reader")
        self.gvk = gvk


class GetOptions(TypedDict, total=False):
    """How an object is read."""

    min_resource_version: str
    timeout: float
    stop: Stop | None


class ListOptions(TypedDict, total=False):
    """Which objects are read, and how."""

    namespace: str
    label_selector: SelectorLike
    field_selector: str | Mapping[str, str] | FieldSelector | None
    limit: int
    continue_: str
    allow_scan: bool
    timeout: float
    stop: Stop | None


class Listed(builtins.list[T]):
    """Objects. Caches have no pages: `continue_` says so, and asking for the next one raises. Contract: CCH-05."""

    __slots__ = ("continue_",)

    def __init__(self, objects: Iterable[T] = (), *, continue_: str = NO_PAGES) -> None:
        super().__init__(objects)
        self.continue_ = continue_


def split_key(key: NamespacedName | str) -> tuple[str, str]:
    """The namespace ("" for none) and the name of a key. Raises ValueError for a key without a name."""
    namespace, name = split_meta_namespace_key(key) if isinstance(key, str) else (key.namespace, key.name)
    if not name:
        raise ValueError(f"{key!r}: a key has a name")
    return namespace, name


def is_gone(record: Record, gvk: GroupVersionKind) -> bool:
    """Whether an answer to a write shows the last of an object: it was to be deleted, and nothing holds it any more."""
    if b'"deletionTimestamp"' not in record.parts.get("metadata", b"") or gvk.kind == "Namespace":
        return False
    meta = Object.from_record(record).metadata
    return bool(meta.deletion_timestamp) and not meta.finalizers and not meta.deletion_grace_period_seconds


def uid_of_status(answer: Record) -> str:
    """The uid of the object that a Status is about, "" if it does not say."""
    details = msgspec.json.decode(answer.parts.get("details", b"{}"))
    uid = details.get("uid") if isinstance(details, dict) else None
    return uid if isinstance(uid, str) else ""


def caller() -> str:
    """The file and line of the nearest code outside of the runtime."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("k8srt.controller."):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
