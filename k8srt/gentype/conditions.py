"""What can be waited for, in kubectl's spelling.

`condition=Ready`, `condition=Ready=False`, `delete`, `create`, `jsonpath={.status.phase}=Running`, or a function.
A condition looks at one record at a time, and remembers nothing but the uid whose end it waits for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import msgspec

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.record import Record, encode_record

SPELLINGS = "'condition=<type>[=<status>]', 'delete', 'create', 'jsonpath={<expression>}[=<value>]', or a function"

Awaited = str | Callable[[Any], Any]
"""What `wait` takes."""


@runtime_checkable
class Condition(Protocol):
    """One thing that is waited for."""

    text: str
    needs_object: bool  # whether an object that is not there is an error, as it is for kubectl

    def met(self, record: Record | None) -> bool:
        """Whether it has come true; None for an object that is not there."""

    def seen(self, record: Record) -> str:
        """What it looked at, for people."""


class Created:
    text, needs_object = "create", False

    def met(self, record: Record | None) -> bool:
        return record is not None

    def seen(self, record: Record) -> str:
        return summary(record)


class Deleted:
    """The object seen first is gone; another one of the same name does not count."""

    text, needs_object = "delete", False

    def __init__(self, uid: str = "") -> None:
        self._uid = uid

    def met(self, record: Record | None) -> bool:
        if record is None:
            return True
        self._uid = self._uid or record.uid
        return record.uid != self._uid

    def seen(self, record: Record) -> str:
        metadata = part(record, "metadata")
        left = ", ".join(metadata.get("finalizers") or ())
        told = f"deleted at {metadata['deletionTimestamp']}" if metadata.get("deletionTimestamp") else "not deleted yet"
        return f"{told}, with finalizers {left}" if left else told


class HasCondition:
    """A condition of the status has a value, and is about the current generation."""

    needs_object = True

    def __init__(self, kind: str, status: str = "True") -> None:
        self.text = f"condition={kind}" + ("" if status == "True" else f"={status}")
        self._kind = kind
        self._status = status

    def met(self, record: Record | None) -> bool:
        found = self._find(record) if record is not None else None
        if record is None or found is None or self._outdated(record, found):
            return False
        return str(found.get("status", "")).lower() == self._status.lower()

    def _find(self, record: Record) -> dict[str, Any] | None:
        conditions = part(record, "status").get("conditions") or ()
        wanted = self._kind.lower()
        return next((each for each in conditions if str(each.get("type", "")).lower() == wanted), None)

    def _outdated(self, record: Record, found: dict[str, Any]) -> bool:
        """Whether the condition was made of an older generation, where that is said."""
        seen = found.get("observedGeneration", part(record, "status").get("observedGeneration"))
        generation = part(record, "metadata").get("generation")
        return seen is not None and generation is not None and seen < generation

    def seen(self, record: Record) -> str:
        found = self._find(record)
        if found is None:
            return f"no condition {self._kind}; {summary(record)}"
        older = ", of an older generation" if self._outdated(record, found) else ""
        return told(found) + older


class PathHasValue:
    """A JSONPath finds one value, which is the wanted one, or any when none is named."""

    needs_object = True

    def __init__(self, path: str, value: str | None) -> None:
        """Raises ValueError for a path that cannot be read."""
        from k8srt.util.jsonpath import JSONPath, relaxed

        self.text = f"jsonpath={path}" + ("" if value is None else f"={value}")
        self._path = JSONPath(relaxed(path), allow_missing_keys=True)
        self._value = value

    def met(self, record: Record | None) -> bool:
        if record is None:
            return False
        found = self._values(record)
        if len(found) > 1:
            raise ValueError(f"{self.text}: the path leads to {len(found)} values, and one can be waited for")
        if not found or self._value is None:
            return bool(found)
        if isinstance(found[0], (dict, list)):
            raise ValueError(f"{self.text}: the path leads to a {type(found[0]).__name__}, and not to a plain value")
        return _as_text(found[0]).strip() == self._value.strip()

    def _values(self, record: Record) -> list[Any]:
        results = self._path.find(msgspec.json.decode(encode_record(record)))
        return [value for result in results for value in result]

    def seen(self, record: Record) -> str:
        found = self._values(record)
        return f"the path leads to {_as_text(found[0])}" if found else f"the path leads to nothing; {summary(record)}"


class Holds:
    """A function of the object says so."""

    needs_object = True

    def __init__(self, function: Callable[[Any], Any], cls: type[Object]) -> None:
        self.text = getattr(function, "__name__", "").replace("<lambda>", "") or "a function"
        self._function = function
        self._cls = cls

    def met(self, record: Record | None) -> bool:
        return record is not None and bool(self._function(self._cls.from_record(record)))

    def seen(self, record: Record) -> str:
        return summary(record)


def condition_of(awaited: Awaited | Condition, cls: type[Object]) -> Condition:
    """Read what is waited for. Raises ValueError for text that names no condition, TypeError for anything else."""
    if isinstance(awaited, str):
        return _parse(awaited.strip())
    if isinstance(awaited, Condition):
        return awaited
    if callable(awaited):
        return Holds(awaited, cls)
    raise TypeError(f"expected {SPELLINGS}, not {type(awaited).__name__}")


def _parse(text: str) -> Condition:
    word, equals, rest = text.partition("=")
    match word.lower():
        case "delete" if not equals:
            return Deleted()
        case "create" if not equals:
            return Created()
        case "condition":
            kind, valued, status = rest.partition("=")
            if kind and (status or not valued):
                return HasCondition(kind, status or "True")
        case "jsonpath" if rest:
            path, value = _split(rest)
            if path and value != "":
                return PathHasValue(path, value)
    raise ValueError(f"cannot wait for {text!r}; possible: {SPELLINGS}")


def _split(text: str) -> tuple[str, str | None]:
    """The path, and the value behind it. An equals sign within brackets or quotes is the path's own."""
    depth, quote = 0, ""
    for index, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in "{[(":
            depth += 1
        elif char in "}])":
            depth -= 1
        elif char == "=" and depth == 0:
            return text[:index], text[index + 1 :].strip("'\"")
    return text, None


# ---- what an object says of itself --------------------------------------------------------------------------------


def part(record: Record, name: str) -> dict[str, Any]:
    """A part as a plain dict; empty when it is absent or something else."""
    raw = record.parts.get(name)
    found = msgspec.json.decode(raw) if raw else None
    return found if isinstance(found, dict) else {}


def told(condition: dict[str, Any]) -> str:
    """`Ready=False (ContainersNotReady: …)`."""
    why = ": ".join(str(condition[key]) for key in ("reason", "message") if condition.get(key))
    said = f"{condition.get('type')}={condition.get('status')}"
    return f"{said} ({why})" if why else said


def summary(record: Record) -> str:
    """Phase and conditions of an object, in a line."""
    status = part(record, "status")
    conditions = [each for each in status.get("conditions") or () if isinstance(each, dict)]
    said = [f"phase {status['phase']}"] if status.get("phase") else []
    said += [told(each) if each.get("status") != "True" else f"{each.get('type')}=True" for each in conditions]
    if part(record, "metadata").get("deletionTimestamp"):
        said.append("being deleted")
    return ", ".join(said) or f"version {record.resource_version}"


def _as_text(value: Any) -> str:
    """A plain value as it is written: true and not True, null and not None."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
