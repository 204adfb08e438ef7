"""Objects without a model: any kind, parts as plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from k8srt.apimachinery import wire
from k8srt.apimachinery.object import Object, identity_of, parts_of
from k8srt.apimachinery.objectlist import ObjectList
from k8srt.apimachinery.record import Record, RecordList
from k8srt.apimachinery.wrong import find_wrong, raise_wrong


class Unstructured(Object):
    """An object of any kind: parts are plain values by their wire names, `obj["spec"]["replicas"]`.

    `obj.metadata` is the typed view of the metadata. Of that and `obj["metadata"]` the one asked for last counts; what
    was changed through the other before is carried over.
    """

    __slots__ = ("_values",)

    def __init__(self, document: Mapping[str, Any] | None = None, **parts: Any) -> None:
        super().__init__(**parts)
        for key, value in (document or {}).items():
            self[key] = value

    def _touched(self) -> dict[str, Any]:
        try:
            return object.__getattribute__(self, "_values")  # type: ignore[no-any-return]
        except AttributeError:
            self._values: dict[str, Any] = {}
            return self._values

    def __getattr__(self, name: str) -> Any:
        if name == "metadata" and "metadata" in (values := self._touched()):
            plain = values.pop("metadata")
            typed = self._decode_part(parts_of(type(self))["metadata"], self._encode_value("metadata", plain or {}))
            setattr(self, "metadata", typed)  # noqa: B010 - the slot is made by the metaclass
            return typed
        return super().__getattr__(name)

    def __getitem__(self, key: str) -> Any:
        values = self._touched()
        if key == "metadata":
            self._settle_metadata(values)
        if key not in values:
            values[key] = msgspec.json.decode(self._record.parts[key])
        if values[key] is None:
            raise KeyError(key)
        return values[key]

    def _settle_metadata(self, values: dict[str, Any]) -> None:
        """Turn a touched typed metadata into the plain one."""
        try:
            typed = object.__getattribute__(self, "metadata")
        except AttributeError:
            return
        data = self._encode_part("metadata", typed, self._record.parts.get("metadata"))
        object.__delattr__(self, "metadata")
        values["metadata"] = msgspec.json.decode(data) if data else {}

    def __setitem__(self, key: str, value: Any) -> None:
        values = self._touched()
        if key == "metadata":
            self._settle_metadata(values)
        values[key] = value

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        self[key] = None

    def __contains__(self, key: object) -> bool:
        values = self._touched()
        if key in values:
            return values[str(key)] is not None
        return key in self._encoded_parts()

    def __iter__(self) -> Iterator[str]:
        return iter(self._encoded_parts())

    def keys(self) -> list[str]:
        """The top-level keys, so that `dict(obj)` works."""
        return list(self)

    def get(self, key: str, default: Any = None) -> Any:
        try:
            return self[key]
        except KeyError:
            return default

    def setdefault(self, key: str, default: Any) -> Any:
        if key not in self:
            self[key] = default
        return self[key]

    def _encoded_parts(self) -> dict[str, bytes]:
        result = super()._encoded_parts()
        for key, value in self._touched().items():
            if value is None:
                result.pop(key, None)
                continue
            original = self._record.parts.get(key)
            if original is None or msgspec.json.decode(original) != value:
                result[key] = self._encode_value(key, value)
        return result

    def _encode_value(self, key: str, value: Any) -> bytes:
        try:
            return wire.encode(value)
        except (TypeError, ValueError) as err:
            raise_wrong(type(self), repr(self), (wrong.below(key) for wrong in find_wrong(Any, value)), err)

    @property
    def api_version(self) -> str:
        return str(self.get("apiVersion", ""))

    @property
    def kind(self) -> str:
        return str(self.get("kind", ""))

    def _identity(self) -> tuple[str, str, str]:
        plain = self._touched().get("metadata")
        if isinstance(plain, Mapping):
            return identity_of(plain)
        return super()._identity()

    def __repr__(self) -> str:
        return f"<Unstructured {super().__repr__()[1:]}"


class UnstructuredList(ObjectList[Unstructured]):
    """A list of objects of any kind. Items that lack apiVersion and kind get those the list implies."""

    @classmethod
    def of(cls, item: type[Any], found: RecordList) -> UnstructuredList:
        made = object.__new__(cls)
        made.metadata = found.metadata
        made._items = None
        made._records = [
            with_type(record, found.api_version, found.kind.removesuffix("List")) for record in found.records
        ]
        made._class = item
        return made


def with_type(record: Record, api_version: str, kind: str) -> Record:
    """The record with apiVersion and kind, which items of a built-in list lack."""
    if "kind" in record.parts or not kind:
        return record
    headers = {"apiVersion": msgspec.json.encode(api_version), "kind": msgspec.json.encode(kind)}
    return msgspec.structs.replace(record, parts={**headers, **record.parts})
