"""API objects as a person uses them: thin, private wrappers over records.

    class Pod(Object, gvk="v1/Pod", resource="pods", short_names="po"):
        metadata: ObjectMeta = unset
        spec: PodSpec = unset
        status: PodStatus = unset

Making one costs next to nothing. A part is decoded the first time it is touched, and from then on belongs to this
object alone, so changing an object can never reach a cache or another reader. A part nobody touched, or touched
without changing it, is written as the very bytes it came in; a changed one keeps the fields its model does not know.

A part that is a struct and absent reads as an empty struct, as in Go; it is written once it holds something.
Objects belong to one caller at a time; they are not locked.
"""

from __future__ import annotations

import contextlib
import typing
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, dataclass_transform

import msgspec

from k8srt.apimachinery import model, scheme, wire
from k8srt.apimachinery.lenient import Unreadable, read_odd
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.model import FieldInfo, Struct, field, unset
from k8srt.apimachinery.preserve import restore_unknown
from k8srt.apimachinery.quantity import Quantity
from k8srt.apimachinery.record import (
    Record,
    decode_record,
    encode_record,
    parts_from,
    record_from_parts,
)
from k8srt.apimachinery.resource import ResourceInfo, parse_info
from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.apimachinery.wrong import Wrong, find_wrong, raise_wrong
from k8srt.errors import DecodeError

if TYPE_CHECKING:
    from typing import Self

__all__ = ["Object", "Part", "parts_of"]


Part = FieldInfo  # one top-level field of a kind, and what the API knows about it

_new = object.__new__
_EMPTY = Record({})
_HEADERS = ("apiVersion", "kind")
_NOTHING = (b"null", b"[]", b"{}")


@dataclass_transform(kw_only_default=True, field_specifiers=(field,))
class _ObjectType(type):
    """Turns the annotated parts of a class into slots: an empty slot is an untouched part."""

    __wires__: dict[str, str]
    __facts__: dict[str, dict[str, Any]]
    __info__: ResourceInfo | None

    def __new__(
        mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], gvk: str | None = None, **facts: Any
    ) -> Any:
        markers = model.take_markers(namespace)
        names = [key for key in namespace.get("__annotations__", {}) if not key.startswith("_")]
        for key in names:
            namespace.pop(key, None)
        inherited: dict[str, str] = {}
        for base in reversed(bases):
            inherited.update(getattr(base, "__wires__", {}))
        own = {key: (markers[key].wire if key in markers else None) or model.camel(key) for key in names}
        namespace["__slots__"] = (*namespace.get("__slots__", ()), *(key for key in names if key not in inherited))
        namespace["__wires__"] = {**inherited, **own}
        known: dict[str, dict[str, Any]] = {}
        for base in reversed(bases):
            known.update(getattr(base, "__facts__", {}))
        namespace["__facts__"] = known | {key: marker.facts for key, marker in markers.items()}
        cls = super().__new__(mcs, name, bases, namespace)
        if gvk is not None:
            cls.__info__ = parse_info(gvk, **facts)
            scheme.default.add(cls.__info__.gvk, cls)
        return cls


@cache
def parts_of(cls: type[Object]) -> Mapping[str, Part]:
    """The parts of a kind by Python name, with their types resolved."""
    hints = typing.get_type_hints(cls, include_extras=True)
    return {
        name: Part(name, key, model.without_none(hints[name]), **cls.__facts__.get(name, {}))
        for name, key in cls.__wires__.items()
    }


class Object(metaclass=_ObjectType):
    """The base of every kind. Subclasses name their parts; see the module.

    A part may be given to the constructor as a dict of its plain JSON form, which is checked at once.
    """

    __slots__ = ("_blank", "_record")
    __info__: ClassVar[ResourceInfo | None] = None
    __hash__ = None  # type: ignore[assignment]

    metadata: ObjectMeta = unset

    def __init__(self, **parts: Any) -> None:
        self._record: Record = _EMPTY  # not annotated in the class: there type checkers take it for an argument
        plain: dict[str, Any] = {}
        for name, value in parts.items():
            if name not in self.__wires__:
                raise model.unknown_field(type(self).__name__, name, self.__wires__)
            if isinstance(value, Mapping) and model.is_model(parts_of(type(self))[name].type):
                plain[self.__wires__[name]] = value
            elif value is not None:
                setattr(self, name, value)
        if plain:
            self._record = type(self).from_dict(plain)._record

    # ---- from and to records, bytes, plain values -----------------------------------------------------------------

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """A fresh object over a record, which it never changes."""
        obj = _new(cls)
        obj._record = record
        return obj

    def to_record(self) -> Record:
        """The object as it is now: the record it was made of if nothing has changed, else a new one.

        Raises WrongValue naming the path when a field has a value of the wrong type.
        """
        record = self._record
        parts = self._encoded_parts()
        return record if parts == record.parts else record_from_parts(parts)

    @classmethod
    def decode(cls, data: bytes | str) -> Self:
        """Read JSON. Raises DecodeError when it is no JSON object or of another kind."""
        record = decode_record(data.encode() if isinstance(data, str) else data)
        cls._check_kind(record)
        return cls.from_record(record)

    def encode(self) -> bytes:
        """The JSON form, with apiVersion and kind. Raises WrongValue naming the path of a wrong value."""
        return encode_record(self.to_record())

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Build from the plain JSON form, and check it.

        Raises DecodeError when it is of another kind, WrongValue naming the path when a field has a value of the
        wrong type. A value that a `Literal` does not list is accepted: the server may know more.
        """
        if not isinstance(document, Mapping):
            raise DecodeError(f"{cls.__name__}: expected a mapping, got {type(document).__name__}")
        try:
            parts = _parts_of_plain(document)
            cls._check_parts(parts)
        except (TypeError, ValueError, msgspec.MsgspecError) as err:
            found = list(find_wrong(cls, document, lenient=True))
            if found or not isinstance(err, msgspec.ValidationError):
                raise_wrong(cls, _label(cls, document), found, err)
        record = record_from_parts(parts)
        cls._check_kind(record)
        return cls.from_record(record)

    @classmethod
    def _check_parts(cls, parts: Mapping[str, bytes]) -> None:
        for part in parts_of(cls).values():
            if (raw := parts.get(part.wire)) is not None:
                wire.checker(part.type).decode(raw)

    def to_dict(self) -> dict[str, Any]:
        """The plain JSON form: a valid manifest, absent fields left out."""
        return {key: msgspec.json.decode(part) for key, part in self.to_record().parts.items()}

    @classmethod
    def from_yaml(cls, text: str | bytes) -> Self:
        """Build from one YAML document. Raises DecodeError."""
        from k8srt.apimachinery import yamlio

        return cls.from_dict(yamlio.load(text))

    def to_yaml(self) -> str:
        from k8srt.apimachinery import yamlio

        return yamlio.dump(self.to_dict())

    def copy(self) -> Self:
        """A deep, independent copy; untouched parts cost nothing."""
        return self.from_record(self.to_record())

    def become(self, other: Self) -> None:
        """Be what `other` is now, and forget what was here: for functions that refresh the object they are given."""
        record = other.to_record()
        for cls in type(self).__mro__:
            for slot in cls.__dict__.get("__slots__", ()):
                with contextlib.suppress(AttributeError):  # it holds nothing
                    object.__delattr__(self, slot)
        self._record = record

    @property
    def api_version(self) -> str:
        info = self.__info__
        return self._record.text("apiVersion") or (info.api_version if info else "")

    @property
    def kind(self) -> str:
        info = self.__info__
        return self._record.text("kind") or (info.kind if info else "")

    @property
    def gvk(self) -> GroupVersionKind:
        return GroupVersionKind.of(self.api_version, self.kind)

    # ---- parts ----------------------------------------------------------------------------------------------------

    def held_parts(self) -> dict[str, Any]:
        """What is there by wire names, unchecked: touched parts as they are, the others as plain data."""
        parts = {key: msgspec.json.decode(raw) for key, raw in self._record.parts.items()}
        return parts | {self.__wires__[name]: value for name, value in self._touched_parts()}

    def _touched_parts(self) -> Iterator[tuple[str, Any]]:
        for name in self.__wires__:
            try:
                yield name, object.__getattribute__(self, name)
            except AttributeError:
                continue  # untouched

    def __getattr__(self, name: str) -> Any:
        """Reached only for a part that is untouched: decode it, and keep it in its slot."""
        if name not in type(self).__wires__:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
        part = parts_of(type(self))[name]
        raw = self._record.parts.get(part.wire)
        value = self._decode_part(part, raw) if raw is not None and raw != b"null" else self._absent(part)
        setattr(self, name, value)
        return value

    def __delattr__(self, name: str) -> None:
        """Remove a part: it will not be sent."""
        setattr(self, name, None)

    def _decode_part(self, part: Part, raw: bytes) -> Any:
        try:
            return wire.decoder(part.type).decode(raw)
        except msgspec.MsgspecError as err:
            return self._decode_odd(part, raw, err)

    def _decode_odd(self, part: Part, raw: bytes, cause: Exception) -> Any:
        try:
            return read_odd(part.type, raw)
        except Unreadable as err:
            raise_wrong(type(self), repr(self), (wrong.below(part.wire) for wrong in err.found), cause)

    def _absent(self, part: Part) -> Any:
        if not (isinstance(part.type, type) and issubclass(part.type, Struct)):
            return None
        blank = part.type()
        blanks = self._blanks()
        if not blanks:
            self._blank: dict[str, Any] = blanks
        blanks[part.name] = blank
        return blank

    def _blanks(self) -> dict[str, Any]:
        try:
            return object.__getattribute__(self, "_blank")  # type: ignore[no-any-return]
        except AttributeError:
            return {}

    def _encoded_parts(self) -> dict[str, bytes]:
        parts = self._record.parts
        info = self.__info__
        result = dict(parts)
        if info is not None and not all(key in parts for key in _HEADERS):
            kind, version = f'"{info.kind}"', f'"{info.api_version}"'
            result = {"apiVersion": version.encode(), "kind": kind.encode(), **result}
        for name, key in type(self).__wires__.items():
            try:
                value = object.__getattribute__(self, name)
            except AttributeError:
                continue  # untouched
            data = self._encode_part(name, value, parts.get(key))
            if data is None:
                result.pop(key, None)
            else:
                result[key] = data
        return result

    def _encode_part(self, name: str, value: Any, original: bytes | None) -> bytes | None:
        part = parts_of(type(self))[name]
        if value is None or (value in ([], {}) and not part.required and not part.default):
            return original if original in _NOTHING else None
        try:
            data = wire.encode(value, part.type)
            if wire.checker(part.type).decode(data) != value:  # cheap, and finds structs of another class
                self._check_part(part, value, original, None)
        except (msgspec.MsgspecError, TypeError, ValueError) as err:
            self._check_part(part, value, original, err)
            data = wire.encode(value, part.type)
        if original is None or original == b"null":
            return original if data == b"{}" and self._blanks().get(name) is value else data
        known = wire.encode(self._decode_part(part, original), part.type)
        return original if data == known else _restored(data, original, known)

    def _check_part(self, part: Part, value: Any, original: bytes | None, cause: Exception | None) -> None:
        """Raise WrongValue for what is wrong in a part, and in the others then, unless it came that way."""
        if not _made_wrong(part, value, original) and (cause is None or original is not None):
            return
        parts, record = parts_of(type(self)), self._record
        touched = ((parts[name], held) for name, held in self._touched_parts())
        found = [wrong for each, held in touched for wrong in _made_wrong(each, held, record.parts.get(each.wire))]
        raise_wrong(type(self), repr(self), found, cause)

    # ---- comparing, showing, copying ------------------------------------------------------------------------------

    @classmethod
    def _check_kind(cls, record: Record) -> None:
        info = cls.__info__
        kind, version = record.text("kind"), record.text("apiVersion")
        if info is not None and ((kind and kind != info.kind) or (version and version != info.api_version)):
            raise DecodeError(f"expected {info.api_version} {info.kind}, got {version or '?'} {kind or '?'}")

    def __eq__(self, other: object) -> bool:
        """Whether both hold the same values; how they are written does not matter."""
        if not isinstance(other, Object) or type(self) is not type(other):
            return NotImplemented
        mine, theirs = self._encoded_parts(), other._encoded_parts()
        return mine.keys() == theirs.keys() and all(
            part == theirs[key] or msgspec.json.decode(part) == msgspec.json.decode(theirs[key])
            for key, part in mine.items()
        )

    def __repr__(self) -> str:
        namespace, name, version = self._identity()
        where = f"{namespace}/{name}" if namespace else name or "(unnamed)"
        return f"<{self.kind or type(self).__name__} {where}{f' rv={version}' if version else ''}>"

    def _identity(self) -> tuple[str, str, str]:
        try:
            meta = object.__getattribute__(self, "metadata")
        except AttributeError:
            record = self._record
            return record.namespace, record.name, record.resource_version
        if isinstance(meta, ObjectMeta):
            return meta.namespace or "", meta.name or meta.generate_name or "", meta.resource_version or ""
        return identity_of(meta)

    def __dir__(self) -> list[str]:
        return sorted({*object.__dir__(self), *self.__wires__})

    def __copy__(self) -> Self:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self.copy()

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle, (type(self), self.to_record().parts)


def _unpickle(cls: type[Object], parts: dict[str, bytes]) -> Object:
    return cls.from_record(record_from_parts(parts))


def _restored(data: bytes, original: bytes, known: bytes) -> bytes:
    """`data` with the unknown fields of `original`; `original` itself when they hold the same values."""
    new, seen = msgspec.json.decode(data), msgspec.json.decode(known)
    if new == seen:
        return original
    full = restore_unknown(new, msgspec.json.decode(original), seen)
    return data if full == new else msgspec.json.encode(full)


def _made_wrong(part: Part, value: Any, original: bytes | None) -> list[Wrong]:
    """What is wrong in a part and was not when it came."""
    found = [] if value is None else list(find_wrong(part.type, value))
    if found and original is not None:
        came = {(wrong.steps, repr(wrong.value)) for wrong in find_wrong(part.type, msgspec.json.decode(original))}
        found = [wrong for wrong in found if (wrong.steps, repr(wrong.value)) not in came]
    return [wrong.below(part.wire) for wrong in found]


def _parts_of_plain(document: Mapping[str, Any]) -> dict[str, bytes]:
    try:
        return parts_from(document)
    except TypeError:  # not so plain: it holds whole objects, or quantities
        return {str(key): wire.encode(value) for key, value in document.items() if value is not None}


def identity_of(metadata: Any) -> tuple[str, str, str]:
    """Namespace, name and version in the plain form of a metadata, whatever that is."""
    if not isinstance(metadata, Mapping):
        return "", "", ""
    keys = ("namespace", "name", "generateName", "resourceVersion")
    namespace, name, generated, version = (str(metadata.get(key) or "") for key in keys)
    return namespace, name or generated, version


def _label(cls: type[Object], document: Mapping[str, Any]) -> str:
    namespace, name, _ = identity_of(document.get("metadata"))
    return f"<{cls.__name__} {namespace}{'/' if namespace else ''}{name or '(unnamed)'}>"


# ---- objects inside structs: volume claim templates, embedded resources -------------------------------------------


def _decode_foreign(cls: type, value: Any) -> Any:
    if isinstance(cls, type) and issubclass(cls, Object):
        if isinstance(value, cls):
            return value
        if not isinstance(value, Mapping):
            raise DecodeError(f"expected {cls.__name__}, got {type(value).__name__}")
        return cls.from_record(record_from_parts(parts_from(value)))
    raise NotImplementedError(cls)


def _check_foreign(cls: type, value: Any) -> Any:
    found = _decode_foreign(cls, value)
    type(found)._check_parts(found.to_record().parts)
    return found


def _encode_foreign(value: Any) -> Any:
    if isinstance(value, Object):
        return msgspec.Raw(value.encode())
    if isinstance(value, Quantity):
        return str(value)
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON")


wire.set_foreign(_decode_foreign, _check_foreign, _encode_foreign)
