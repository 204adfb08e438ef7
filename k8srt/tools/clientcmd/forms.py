"""The forms a field of a kubeconfig can have, each read and written by one small class.

`read` takes what YAML or JSON gave (None where the field is absent) and raises `Problem` naming the field; `write`
gives the plain form back, and raises `Problem` for what no file can hold. No message shows a value: it may be a secret
that stands in the wrong place.

Contract: KCFG-07, KCFG-09, KCFG-10, KCFG-41.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Generic, Protocol, TypeVar

from k8srt.tools.clientcmd.scalars import Written, settled

T = TypeVar("T")


class Problem(Exception):
    """What is wrong with one field; entry and file are added on the way up."""


class Form(Protocol[T]):
    """How a value stands in a file."""

    def read(self, value: Any, place: str) -> T: ...
    def write(self, value: T, place: str) -> Any: ...


class Text:
    """A text. What is certainly a number or a boolean is none; what only some readers take for one is."""

    def read(self, value: Any, place: str) -> str:
        if value is None:
            return ""
        if not isinstance(value, str):
            raise Problem(f"{place}: expected a text, got {kind(value)}")
        if isinstance(value, Written) and value.certain:
            raise Problem(f"{place}: expected a text, got {kind(value)}; put it in quotes")
        return str(value)

    def write(self, value: str, place: str) -> str:
        return self.read(value, place)


class Flag:
    """True or false."""

    def read(self, value: Any, place: str) -> bool:
        found = value.value if isinstance(value, Written) else value
        if found is None or isinstance(found, bool):
            return bool(found)
        raise Problem(f"{place}: expected true or false, got {kind(value)}")

    def write(self, value: bool, place: str) -> bool:
        return self.read(value, place)


class Data:
    """Bytes, as base64."""

    def read(self, value: Any, place: str) -> bytes:
        if value is None:
            return b""
        if not isinstance(value, str):
            raise Problem(f"{place}: expected base64, got {kind(value)}")
        try:
            return base64.b64decode("".join(value.split()), validate=True)
        except (binascii.Error, ValueError) as err:
            raise Problem(f"{place}: malformed base64: {err}") from None

    def write(self, value: bytes, place: str) -> str:
        if not isinstance(value, (bytes, bytearray)):
            raise Problem(f"{place}: expected bytes, got {kind(value)}")
        return base64.b64encode(value).decode("ascii")


class Texts:
    """A list of texts."""

    def read(self, value: Any, place: str) -> list[str]:
        return [TEXT.read(each, f"{place}[{number}]") for number, each in enumerate(sequence(value, place))]

    def write(self, value: list[str], place: str) -> list[str]:
        return self.read(value, place)


class Named(Generic[T]):
    """A mapping from texts to values of one form."""

    def __init__(self, form: Form[T]) -> None:
        self._form = form

    def read(self, value: Any, place: str) -> dict[str, T]:
        found = mapping(value, place)
        return {key_of(key, place): self._form.read(each, f"{place}.{key}") for key, each in found.items()}

    def write(self, value: Mapping[str, T], place: str) -> dict[str, Any]:
        return {key_of(key, place): self._form.write(each, f"{place}.{key}") for key, each in value.items()}


class Variables:
    """A list of mappings with `name` and `value`: pairs."""

    def read(self, value: Any, place: str) -> list[tuple[str, str]]:
        pairs = []
        for number, each in enumerate(sequence(value, place)):
            where = f"{place}[{number}]"
            raw = mapping(each, where)
            pairs.append((TEXT.read(raw.get("name"), f"{where}.name"), TEXT.read(raw.get("value"), f"{where}.value")))
        return pairs

    def write(self, value: list[tuple[str, str]], place: str) -> list[dict[str, str]]:
        return [{"name": TEXT.read(key, place), "value": TEXT.read(text, place)} for key, text in value]


class Extensions:
    """A list of mappings with `name` and `extension`: whatever others keep, by name."""

    def read(self, value: Any, place: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for number, each in enumerate(sequence(value, place)):
            where = f"{place}[{number}]"
            raw = mapping(each, where)
            key = TEXT.read(raw.get("name"), f"{where}.name")
            if key in found:
                raise Problem(f'{place}: duplicate name "{key}" in list')
            found[key] = settled(raw.get("extension"))
        return found

    def write(self, value: Mapping[str, Any], place: str) -> list[dict[str, Any]]:
        return [{"name": key_of(key, place), "extension": each} for key, each in value.items()]


TEXT = Text()
FLAG = Flag()
DATA = Data()
TEXTS = Texts()
VARIABLES = Variables()
EXTENSIONS = Extensions()


def mapping(value: Any, place: str) -> Mapping[Any, Any]:
    """The mapping that stands there, or an empty one."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise Problem(f"{place}: expected a mapping, got {kind(value)}")
    return value


def sequence(value: Any, place: str) -> list[Any]:
    """The list that stands there, or an empty one."""
    if value is None:
        return []
    if not isinstance(value, (list, tuple)):
        raise Problem(f"{place}: expected a list, got {kind(value)}")
    return list(value)


def key_of(key: Any, place: str) -> str:
    """The key of a mapping, or a name: a text, however it was written."""
    if not isinstance(key, str):
        raise Problem(f"{place}: expected a text, got {kind(key)}")
    return str(key)


def kind(value: Any) -> str:
    """What a value is, without showing it."""
    if isinstance(value, Written) and value.certain:
        value = value.value
    kinds = {bool: "a boolean", str: "a text", Written: "a text", list: "a list", dict: "a mapping", int: "a number"}
    return {**kinds, float: "a number", type(None): "nothing", bytes: "bytes"}.get(type(value), type(value).__name__)
