"""How server-side apply looks at a document: which parts are leaves, maps or lists, and what tells items apart.

Also the check that a document fits its structure, which precedes every apply.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum, auto
from typing import Any

from k8srt.apimachinery.fieldset import element_text, field_element, key_element, path_text, value_element
from k8srt.apimachinery.structure import ABSENT, ANY, Structure


class Shape(Enum):
    """How a value is owned: as one, field by field, or item by item."""

    LEAF = auto()
    MAP = auto()
    LIST = auto()


def shape_of(structure: Structure, value: Any) -> Shape:
    """The shape of a value; where the structure says nothing, the value does: its lists are leaves."""
    if structure.atomic:
        return Shape.LEAF
    if structure.kind == "list":
        return Shape.LIST
    if structure.kind == "any":
        return Shape.MAP if isinstance(value, Mapping) else Shape.LEAF
    return Shape.MAP


def below(structure: Structure, name: str) -> Structure:
    """The structure of a field; where it is not declared, anything goes."""
    return structure.child(name) or ANY


def declares(structure: Structure, name: str) -> bool:
    """Whether a field has a name of its own, which the key of a map has not."""
    return structure.kind == "object" and name in structure.fields


def as_map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


class ItemError(ValueError):
    """A list item cannot be told from the others."""


def item_element(structure: Structure, item: Any) -> str:
    """The path element of an item of a set or keyed list. Raises ItemError."""
    if structure.list_type == "set":
        return _set_element(item)
    if item is None:
        raise ItemError("associative list with keys may not have a null element")
    if not isinstance(item, Mapping):
        raise ItemError("associative list with keys may not have non-map elements")
    items = structure.items or ANY
    return key_element({name: _key(item, items, name) for name in structure.keys})


def _set_element(item: Any) -> str:
    if isinstance(item, Mapping):
        raise ItemError("associative list without keys has an element that's a map type")
    if isinstance(item, list):
        raise ItemError("not supported: associative list with lists as elements")
    if item is None:
        raise ItemError("associative list without keys has an element that's an explicit null")
    return value_element(item)


def _key(item: Mapping[str, Any], items: Structure, name: str) -> Any:
    if name in item:
        return item[name]
    default = below(items, name).default
    if default is ABSENT:
        raise ItemError(
            f'associative list with keys has an element that omits key field "{name}" (and doesn\'t have default value)'
        )
    return default


def item_elements(structure: Structure, items: Any) -> list[str]:
    """The path elements of all items that have one."""
    found = []
    for item in items or ():
        try:
            found.append(item_element(structure, item))
        except ItemError:  # the document was checked; what came in before a schema changed is left alone
            found.append("i:-1")
    return found


# ---- the check ----------------------------------------------------------------------------------------------------

_SCALARS: dict[str, tuple[type[Any] | tuple[type[Any], ...], str]] = {
    "string": (str, "string"),
    "integer": ((int, float), "numeric (int or float)"),
    "number": ((int, float), "numeric (int or float)"),
    "boolean": (bool, "boolean"),
}
_UNTYPED = frozenset({"date-time", "micro-time", "quantity", "duration"})


def type_errors(value: Any, structure: Structure) -> list[str]:
    """What keeps a document from being applied, worded as a server words it. No errors: an empty list."""
    return [f"{path}: {message}" if path else message for path, message in _errors(value, structure, "")]


def _errors(value: Any, structure: Structure, path: str, loose: bool = False) -> Iterator[tuple[str, str]]:
    """`loose`: what is above says that unknown fields are kept, which holds for what is below, too."""
    loose = loose or structure.preserve_unknown
    if value is None or structure.kind == "any":
        return
    if structure.kind == "list":
        yield from _list_errors(value, structure, path, loose)
    elif structure.kind in ("object", "map"):
        yield from _map_errors(value, structure, path, loose)
    elif not _fits(value, structure):
        expected = _SCALARS.get(structure.kind, (str, "any scalar"))[1]
        yield path, f"expected {expected}, got {_got(value, structure.kind)}"


def _fits(value: Any, structure: Structure) -> bool:
    if structure.kind == "int-or-string" or (structure.format in _UNTYPED and structure.schema is None):
        return isinstance(value, (str, int, float))
    types, _ = _SCALARS[structure.kind]
    return isinstance(value, types) and (structure.kind == "boolean" or not isinstance(value, bool))


def _map_errors(value: Any, structure: Structure, path: str, loose: bool) -> Iterator[tuple[str, str]]:
    if not isinstance(value, Mapping):
        yield path, f"expected map, got {_got(value)}"
        return
    for name, item in value.items():
        child, where = structure.child(name), path + element_text(field_element(name))
        if child is not None:
            yield from _errors(item, child, where, loose)
        elif not loose:
            yield where, "field not declared in schema"


def _list_errors(value: Any, structure: Structure, path: str, loose: bool) -> Iterator[tuple[str, str]]:
    if not isinstance(value, list):
        yield path, f"expected list, got {_got(value)}"
        return
    seen = set()
    for index, item in enumerate(value):
        element = f"i:{index}"
        if not structure.atomic:
            try:
                element = item_element(structure, item)
            except ItemError as err:
                yield path, f"element {index}: {err}"
                continue
            if element in seen:
                yield path, f"duplicate entries for key {element_text(element)}"
            seen.add(element)
        yield from _errors(item, structure.items or ANY, path + path_text((element,)), loose)


def _got(value: Any, wanted: str = "") -> str:
    """How a server shows a value of the wrong type: the type where a number is wanted, else the value."""
    if wanted in ("integer", "number"):
        return go_type(value)
    if wanted == "string":
        return f"&value.valueUnstructured{{Value:{go_syntax(value)}}}"
    return f"&{{{go_plain(value)}}}"


_GO_TYPES: dict[type, str] = {
    bool: "bool",
    int: "int64",
    float: "float64",
    str: "string",
    list: "[]interface {}",
    dict: "map[string]interface {}",
}


def go_type(value: Any) -> str:
    """The name that Go has for the type of a JSON value."""
    return _GO_TYPES.get(type(value), "<nil>")


def go_plain(value: Any) -> str:
    """A JSON value as Go prints it with `%v`."""
    if isinstance(value, Mapping):
        return "map[" + " ".join(f"{key}:{go_plain(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(go_plain, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "<nil>" if value is None else str(value)


def go_syntax(value: Any) -> str:
    """A JSON value as Go prints it with `%#v`."""
    if isinstance(value, Mapping):
        return "map[string]interface {}{" + ", ".join(f'"{key}":{go_syntax(value[key])}' for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[]interface {}{" + ", ".join(map(go_syntax, value)) + "}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "interface {}(nil)"
    return f'"{value}"' if isinstance(value, str) else str(value)
