"""Which values of an object are not what their fields want: where they are, and what is wrong.

msgspec tells that something is wrong, and fast; it names neither the keys of maps nor the value. What is here is asked
only once that is known, walks what a person built (structs, dicts, whole objects, mixed as they like) beside its
types, and finds every place.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, NamedTuple, NoReturn

import msgspec

from k8srt.apimachinery import wire
from k8srt.apimachinery.choice import Choice
from k8srt.apimachinery.model import Struct, fields_of, without_none
from k8srt.errors import WrongValue

Step = str | int
_SHOWN = 60
_MOST = 10
_SECRETS = ("Secret",)


class Wrong(NamedTuple):
    """One wrong value: the way to it in wire names and indices, the type it should have, the value.

    `keys` are the positions in `steps` that are keys of a map, not names of fields.
    """

    steps: tuple[Step, ...]
    keys: frozenset[int]
    annotation: Any
    value: Any

    @property
    def path(self) -> str:
        """`spec.containers[0].name`, `metadata.labels[app]`."""
        text = ""
        for position, step in enumerate(self.steps):
            brackets = isinstance(step, int) or position in self.keys
            text += f"[{step}]" if brackets else f".{step}"
        return text.removeprefix(".")

    def below(self, step: str) -> Wrong:
        """The same, in something that holds the value's whole as its field `step`."""
        return self._replace(steps=(step, *self.steps), keys=frozenset(position + 1 for position in self.keys))

    @property
    def in_container(self) -> bool:
        """Whether it is an item of a list or a value of a map, which cannot be absent."""
        return isinstance(self.steps[-1], int) or len(self.steps) - 1 in self.keys

    def describe(self, *, hidden: bool = False) -> str:
        """`<path>: expected int, got 'eighty'`. What is `hidden` is told by its type alone."""
        got = _kind(self.value) if hidden else _shown(self.value)
        said = f"expected {expected(self.annotation)}, got {got}"
        if isinstance(self.value, datetime) and self.value.tzinfo is None:
            said += ", which has no time zone; use datetime.now(UTC)"
        return f"{self.path}: {said}" if self.steps else said


def find_wrong(annotation: Any, value: Any, *, lenient: bool = False) -> Iterator[Wrong]:
    """Every wrong value in `value`, which `annotation` is the type of.

    With `lenient` a value that a `Literal` does not list is not wrong, as nothing is that can be read.
    """
    return _Walk(wire.decoder if lenient else wire.checker).walk(annotation, value, (), frozenset())


def describe_wrong(cls: type, found: Sequence[Wrong], before: Callable[[Wrong], str] = lambda wrong: "") -> str:
    """What is wrong in an object of a class; each place after what `before` says of it.

    The values of a secret are not shown.
    """
    secret = cls.__name__ in _SECRETS
    texts = [before(wrong) + wrong.describe(hidden=secret and wrong.steps[:1] != ("metadata",)) for wrong in found]
    more = len(texts) - _MOST
    return "; ".join([*texts[:_MOST], f"and {more} more"] if more > 0 else texts)


def raise_wrong(cls: type, what: str, found: Iterable[Wrong], cause: Exception | None = None) -> NoReturn:
    """Raise WrongValue for what was found in an object of a class; if that is nothing, for what the `cause` says."""
    wrong = list(found)
    said = describe_wrong(cls, wrong) or cause
    raise WrongValue(f"{what}: {said}", tuple(each.path for each in wrong)) from (None if wrong else cause)


# ---- walking a value beside its type ------------------------------------------------------------------------------


class _Walk:
    """Goes through a value beside its type; `decoder_of` makes what says whether a single value fits."""

    def __init__(self, decoder_of: Callable[[Any], msgspec.json.Decoder[Any]]) -> None:
        self._decoder_of = decoder_of

    def walk(self, annotation: Any, value: Any, steps: tuple[Step, ...], keys: frozenset[int]) -> Iterator[Wrong]:
        annotation = without_none(annotation)
        origin, args = typing.get_origin(annotation), typing.get_args(annotation)
        fields = _fields(annotation)
        if fields is not None and isinstance(value, (annotation, Mapping)):
            for name, below, held in fields(value):
                yield from self.walk(below, held, (*steps, name), keys)
        elif origin is list and isinstance(value, (list, tuple, set, frozenset)):
            for index, item in enumerate(value):
                yield from self.walk(args[0], item, (*steps, index), keys)
        elif origin is dict and isinstance(value, Mapping):
            for key, item in value.items():
                yield from self.walk(args[1], item, (*steps, str(key)), keys | {len(steps)})
        elif annotation in (Any, msgspec.Raw):
            yield from self._plain(value, steps, keys)
        elif fields is not None or not self._fits(annotation, value):
            yield Wrong(steps, keys, annotation, value)

    def _plain(self, value: Any, steps: tuple[Step, ...], keys: frozenset[int]) -> Iterator[Wrong]:
        """In what may be anything: whatever JSON cannot hold."""
        if isinstance(value, Mapping):
            for key, item in value.items():
                yield from self._plain(item, (*steps, str(key)), keys)
        elif isinstance(value, (list, tuple)):
            for index, item in enumerate(value):
                yield from self._plain(item, (*steps, index), keys)
        elif _fields(type(value)) is not None:
            yield from self.walk(type(value), value, steps, keys)
        elif not self._fits(Any, value):
            yield Wrong(steps, keys, Any, value)

    def _fits(self, annotation: Any, value: Any) -> bool:
        if type(value) is annotation:
            return True
        if isinstance(value, bytes) and annotation is not Any:
            return False  # though it would be written, as text
        try:
            self._decoder_of(annotation).decode(wire.encode(value))
        except (msgspec.MsgspecError, TypeError, ValueError):
            return False
        return True


FieldsOf = Callable[[Any], Iterator[tuple[str, Any, Any]]]


def _fields(annotation: Any) -> FieldsOf | None:
    """What gives the fields that a value of this type has: their wire names, types and values. None for other types."""
    if not isinstance(annotation, type):
        return None
    if issubclass(annotation, Struct):
        return lambda value: _struct_fields(annotation, value)
    if hasattr(annotation, "__wires__"):  # a whole kind; those stand above this module
        return lambda value: _object_fields(annotation, value)
    return None


def _struct_fields(cls: type[Struct], value: Any) -> Iterator[tuple[str, Any, Any]]:
    for info in fields_of(cls).values():
        held = value.get(info.wire) if isinstance(value, Mapping) else getattr(value, info.name)
        if held is not None:
            yield info.wire, info.type, held


def _object_fields(cls: Any, value: Any) -> Iterator[tuple[str, Any, Any]]:
    from k8srt.apimachinery.object import parts_of

    parts = {part.wire: part for part in parts_of(cls).values()}
    held: dict[str, Any] = dict(value) if isinstance(value, Mapping) else value.held_parts()
    for name, inner in held.items():
        if inner is not None:
            yield name, parts[name].type if name in parts else Any, inner


# ---- text ---------------------------------------------------------------------------------------------------------

_NAMES = {bytes: "bytes or base64", datetime: "a time such as 2006-01-02T15:04:05Z"}


def expected(annotation: Any) -> str:
    """What a type is called when a value does not have it."""
    annotation = without_none(annotation)
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return expected(args[0])
    if isinstance(annotation, type) and issubclass(annotation, Choice):
        return f"one of {', '.join(map(repr, annotation.choices))}"
    if origin in (list, dict):
        return f"{origin.__name__} of {expected(args[-1])}"
    if args:
        return " or ".join(expected(arg) for arg in args)
    if annotation is Any:
        return "something that JSON can hold"
    return str(_NAMES.get(annotation) or getattr(annotation, "__name__", annotation))


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if not isinstance(value, (str, bytes, int, float, datetime)):
        return _kind(value)
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _kind(value: Any) -> str:
    name = "null" if value is None else type(value).__name__
    return name if value is None else f"{'an' if name[:1] in 'aeiouAEIO' else 'a'} {name}"
