"""One node of a structure: what a value may be, and how it is owned, merged and defaulted."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from enum import Enum, auto
from typing import Any, Final, Literal

Kind = Literal["object", "map", "list", "string", "integer", "number", "boolean", "int-or-string", "any"]
ListType = Literal["atomic", "set", "map"]
Schema = Mapping[str, Any]
Fields = Mapping[str, "Structure"]


class Absent(Enum):
    """The type of ABSENT: there is no value, which null would be."""

    ABSENT = auto()

    def __bool__(self) -> bool:
        return False


ABSENT: Final = Absent.ABSENT


class Structure:
    """One node.

    kind: "object" has `fields` by wire name, "map" has `values`, "list" has `items`; "any" takes whatever comes.
    format: of a text: "byte", "date-time", "micro-time", "duration", "quantity", or a CRD's; else "".
    list_type, keys: how server-side apply tells a list's items apart; None is "atomic".
    map_type: "atomic" if server-side apply owns the node as a whole.
    patch, patch_key: strategic-merge strategies ("merge", "replace", "retainKeys") and merge key.
    default: what a server fills in, or ABSENT.
    preserve_unknown: fields that are not declared are kept. nullable: null is a value.
    embedded: holds a whole API object. inline: a struct that Go always writes, even empty (see `_inline`).
    schema: the JSON schema of a CRD, with its validation keywords; None for models.
    """

    __slots__ = (
        "_always", "_fields", "default", "embedded", "format", "inline", "items", "keys", "kind", "list_type",
        "map_type", "nullable", "patch", "patch_key", "preserve_unknown", "required", "schema", "values",
    )  # fmt: skip

    def __init__(
        self,
        kind: Kind,
        format: str = "",
        *,
        fields: Fields | Callable[[], Fields] | None = None,
        values: Structure | None = None,
        items: Structure | None = None,
        schema: Schema | None = None,
    ) -> None:
        self.kind: Kind = kind
        self.format = format
        self._fields: Lazy = fields if isinstance(fields, Lazy) else Lazy(fields or {})
        self.values = values
        self.items = items
        self.schema = schema
        self.required = False
        self.list_type: ListType | None = None
        self.keys: tuple[str, ...] = ()
        self.map_type: str | None = None
        self.patch: tuple[str, ...] = ()
        self.patch_key: str | None = None
        self.default: Any = ABSENT
        self.preserve_unknown = False
        self.embedded = False
        self.nullable = False
        self.inline = False
        self._always: tuple[tuple[str, Any], ...] | None = None

    @property
    def always(self) -> tuple[tuple[str, Any], ...]:
        """What Go has in such an object even where nothing is set: structs, and lists that must be written (null)."""
        if self._always is None:
            model = self.kind == "object" and self.schema is None
            self._always = tuple(_always(self.fields)) if model else ()
        return self._always

    @property
    def fields(self) -> Fields:
        """The declared fields of an object by wire name."""
        return self._fields.get()

    @property
    def atomic(self) -> bool:
        """Whether server-side apply owns the node as one: scalars, atomic lists and maps."""
        if self.kind == "list":
            return self.list_type not in ("set", "map")
        return self.kind not in ("object", "map", "any") or self.map_type == "atomic"

    def child(self, name: str) -> Structure | None:
        """The node below an object, map or anything under a wire name; None where the name is not declared."""
        found = self.fields.get(name) if self.kind == "object" else self.values
        if found is not None:
            return found
        return ANY if self.preserve_unknown or self.kind == "any" else None

    def but(self, **changes: Any) -> Structure:
        """A copy with some facts changed; the fields are shared."""
        made = copy.copy(self)
        for name, value in changes.items():
            setattr(made, name, value)
        return made

    def __repr__(self) -> str:
        return f"Structure({self.kind}{f', {self.format}' if self.format else ''})"


def _always(fields: Fields) -> Iterator[tuple[str, Any]]:
    for name, below in fields.items():
        if below.inline:
            yield name, {}
        elif below.required and below.kind in ("list", "map"):
            yield name, None


class Lazy:
    """Fields that are worked out when first looked at. Two threads may both do so; they get equal answers."""

    __slots__ = ("_source",)

    def __init__(self, source: Fields | Callable[[], Fields]) -> None:
        self._source = source

    def get(self) -> Fields:
        source = self._source
        if callable(source):
            self._source = source = source()
        return source


ANY: Final = Structure("any")
ANY.preserve_unknown = True
ANY.nullable = True
STRING: Final = Structure("string")
