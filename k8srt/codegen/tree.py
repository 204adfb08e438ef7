"""What stands between reading a schema and writing Python: modules, classes, fields and their types, as plain data.

Readers (`build`, `crd`) make these; `render` writes them. Nothing here knows JSON schemas or Python's layout.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Ref:
    """A class by name, and the module that has it (None: a builtin)."""

    name: str
    module: str | None = None


@dataclass(frozen=True, slots=True)
class Type:
    """The type of a field: a class alone, or a list, a map (by text), a union, or a choice of literals.

    `shape` is "ref", "list", "map", "union" or "literal"; `parts` are its one or more members.
    """

    shape: str
    parts: tuple[Any, ...]

    def text(self, spell: Callable[[Ref], str], broken: str = "") -> str:
        """The annotation; `spell` tells how the module at hand calls a class.

        With `broken`, an indentation, each literal of a choice stands on a line of its own.
        """
        parts = [part.text(spell, broken) if isinstance(part, Type) else part for part in self.parts]
        match self.shape:
            case "ref":
                return spell(self.parts[0])
            case "list":
                return f"list[{parts[0]}]"
            case "map":
                return f"dict[str, {parts[0]}]"
            case "literal" if broken:
                lines = "".join(f"{broken}    {literal(part)},\n" for part in parts)
                return f"{spell(LITERAL)}[\n{lines}{broken}]"
            case "literal":
                return f"{spell(LITERAL)}[{', '.join(literal(part) for part in parts)}]"
            case _:
                return " | ".join(parts)


def ref(name: str, module: str | None = None) -> Type:
    return Type("ref", (Ref(name, module),))


def list_of(item: Type) -> Type:
    return Type("list", (item,))


def map_of(value: Type) -> Type:
    return Type("map", (value,))


def union(*members: Type) -> Type:
    return Type("union", members)


def literal(value: object) -> str:
    """`repr` with double quotes where that's as short, as the rest of the code is written."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        inside = ", ".join(map(literal, value))
        return f"[{inside}]" if isinstance(value, list) else f"({inside}{',' if len(value) == 1 else ''})"
    text = repr(value)
    plain = isinstance(value, str) and text.startswith("'") and '"' not in text
    return f'"{text[1:-1]}"' if plain and "\\'" not in text else text


MODEL = "k8srt.apimachinery.model"
META = "k8srt.apimachinery.meta"
OBJECT = "k8srt.apimachinery.object"
OBJECT_LIST = "k8srt.apimachinery.objectlist"

ANY = ref("Any", "typing")
LITERAL = Ref("Literal", MODEL)
BOOL, BYTES, FLOAT, INT, STR = ref("bool"), ref("bytes"), ref("float"), ref("int"), ref("str")
INT_OR_STRING = ref("IntOrString", MODEL)
MICRO_TIME = ref("MicroTime", MODEL)
QUANTITY = ref("QuantityText", MODEL)
TIME = ref("Time", MODEL)
UNSTRUCTURED = ref("Unstructured", "k8srt.apimachinery.unstructured")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a class. `facts` are the keyword arguments of `field(...)` in the order they're written."""

    name: str
    wire: str
    type: Type
    facts: dict[str, Any] = field(default_factory=dict)
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Subresource:
    """What lies below one object: its name, its verbs, and its kind where that differs from the object's."""

    name: str
    verbs: tuple[str, ...]
    gvk: str = ""


@dataclass(frozen=True, slots=True)
class Resource:
    """How a kind is served."""

    plural: str
    namespaced: bool
    verbs: tuple[str, ...]
    singular: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[Subresource, ...] = ()


@dataclass(frozen=True, slots=True)
class Class:
    """A class to write: a plain struct, an object with a kind of its own (`gvk`), or a list of such (`item`).

    `word` is what the place of a struct is called, in the words of its name: the last of them. It's empty for what has
    a name of its own.
    """

    name: str
    fields: tuple[Field, ...] = ()
    gvk: str = ""
    item: str = ""
    resource: Resource | None = None
    map_type: str = ""
    schema: dict[str, Any] = field(default_factory=dict)
    doc: str = ""
    word: str = ""

    @property
    def kind(self) -> str:
        return self.gvk.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Module:
    """All classes of one group and version, for one file. `name` is dotted: "k8srt.api.core.v1".

    `aliases` are further names of classes (name, class); a `loose` module is left alone by formatters and linters.
    """

    name: str
    api_version: str
    classes: tuple[Class, ...]
    doc: str = ""
    aliases: tuple[tuple[str, str], ...] = ()
    loose: bool = False

    @property
    def resources(self) -> list[Class]:
        """The classes that are served as resources of their own."""
        return [cls for cls in self.classes if cls.resource]
