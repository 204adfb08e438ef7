"""Under which key an object is stored, and what a store knows of its metadata.

A key is `namespace/name`, or just the name without a namespace. Key functions take objects of a kind, records,
anything with a `metadata` that has a name, plain dicts in their JSON form, and tombstones. Nothing is decoded to find
the key of an object whose metadata nobody touched.

Contract: CACHE-01 to CACHE-07.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, cast

from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.record import Record
from k8srt.apimachinery.schema import NamespacedName
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.errors import CacheKeyError, K8srtError

T = TypeVar("T")

KeyFunc = Callable[[Any], str]


class NoMetadata(K8srtError, TypeError):
    """Something that is no API object was asked for its metadata."""


class ExplicitKey(str):
    """A key that stands for itself where an object is expected. Contract: CACHE-02."""

    __slots__ = ()


class DeletedFinalStateUnknown(NamedTuple, Generic[T]):
    """A tombstone: the object under `key` is gone, and its deletion was missed.

    `obj` is its last known state, which may be old, or None.
    """

    key: str
    obj: T


class ObjectName(NamedTuple):
    """What a key says. Prints as the key: without a namespace there is no slash. Contract: CACHE-06."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @classmethod
    def parse(cls, key: str) -> ObjectName:
        """The inverse of `str`. Raises ValueError for more than one slash."""
        return cls(*split_meta_namespace_key(key))

    @classmethod
    def of(cls, name: NamespacedName) -> ObjectName:
        return cls(*name)

    def as_namespaced_name(self) -> NamespacedName:
        return NamespacedName(*self)


class Metadata(Protocol):
    """Where an object stands: of a record, of an `ObjectMeta`. Any value may be empty or None."""

    @property
    def namespace(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def uid(self) -> str: ...
    @property
    def resource_version(self) -> str: ...
    @property
    def labels(self) -> Mapping[str, str]: ...


def metadata_of(obj: Any) -> Metadata | None:
    """The metadata of whatever a store may hold, decoding as little as possible; None when it has none."""
    if type(obj) is Record:
        return obj
    if isinstance(obj, Object):
        return _of_object(obj)
    if isinstance(obj, ObjectMeta):
        return obj
    if isinstance(obj, Mapping):
        found = obj.get("metadata")
        return _of_mapping(found) if isinstance(found, Mapping) else None
    found = getattr(obj, "metadata", None)
    return cast(Metadata, found) if hasattr(found, "name") else None


def _of_object(obj: Object) -> Metadata:
    try:
        return object.__getattribute__(obj, "metadata")  # type: ignore[no-any-return]
    except AttributeError:  # untouched as a struct
        if isinstance(obj, Unstructured) and "metadata" in obj._touched():
            return obj.metadata
        return obj._record


def _of_mapping(metadata: Mapping[str, Any]) -> Metadata:
    return Record(
        {},
        metadata.get("namespace") or "",
        metadata.get("name") or "",
        metadata.get("uid") or "",
        metadata.get("resourceVersion") or "",
        metadata.get("labels") or {},
    )


def require_metadata(obj: Any) -> Metadata:
    """As `metadata_of`. Raises NoMetadata when there is none."""
    found = metadata_of(obj)
    if found is None:
        raise NoMetadata(f"object has no meta: {obj!r}")
    return found


def on_records(func: T) -> T:
    """Mark a key or index function that reads records as well as objects, so that no object is made for it."""
    func.on_records = True  # type: ignore[attr-defined]
    return func


def reads_records(func: Callable[..., Any]) -> bool:
    return getattr(func, "on_records", False)


@on_records
def meta_namespace_key(obj: Any) -> str:
    """`namespace/name`, or the name alone without a namespace. Of a tombstone and of an ExplicitKey, the key they hold.

    Raises NoMetadata. Contract: CACHE-01, CACHE-02, CACHE-04.
    """
    if isinstance(obj, DeletedFinalStateUnknown):
        return obj.key
    if isinstance(obj, ExplicitKey):
        return str(obj)
    meta = _of_object(obj) if isinstance(obj, Object) else require_metadata(obj)
    namespace, name = meta.namespace, meta.name or ""
    return f"{namespace}/{name}" if namespace else name


meta_namespace_key_func = meta_namespace_key
deletion_handling_meta_namespace_key = meta_namespace_key
deletion_handling_meta_namespace_key_func = meta_namespace_key
"""The upstream names. One function does: a tombstone always has a key."""


def object_name(obj: Any) -> ObjectName:
    """The namespace and name of an object. Raises NoMetadata."""
    meta = require_metadata(obj)
    return ObjectName(meta.namespace or "", meta.name or "")


def deletion_handling_object_to_name(obj: Any) -> ObjectName:
    """The same, also of a tombstone. Raises ValueError for a tombstone with a malformed key. Contract: CACHE-04."""
    return ObjectName.parse(obj.key) if isinstance(obj, DeletedFinalStateUnknown) else object_name(obj)


def split_meta_namespace_key(key: str) -> tuple[str, str]:
    """Split a key into namespace ("" without one) and name. Raises ValueError for two or more slashes: CACHE-05."""
    namespace, slash, name = key.partition("/")
    if "/" in name:
        raise ValueError(f'unexpected key format: "{key}"')
    return (namespace, name) if slash else ("", namespace)


def parse_object_name(key: str) -> ObjectName:
    return ObjectName.parse(key)


def index_func_to_key_func_adapter(index_func: Callable[[Any], Iterable[str]]) -> KeyFunc:
    """A key function of an index function, for objects with exactly one value. Contract: CACHE-07."""

    def key(obj: Any) -> str:
        values = list(index_func(obj))
        if len(values) != 1:
            what = f"too many keys: {values}" if values else "unexpected empty index values"
            raise ValueError(f"{what} for {obj!r}")
        return values[0]

    return key


def checked_key(key_func: KeyFunc, obj: Any) -> str:
    """The key of `obj`. Raises CacheKeyError, with the reason as its cause, when it has none. Contract: CACHE-03."""
    try:
        return key_func(obj)
    except Exception as err:
        raise CacheKeyError(obj, err) from err
