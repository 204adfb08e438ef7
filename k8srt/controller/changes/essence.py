"""What of an object counts, and how two states of that differ.

The essence is all but the status and what servers set. Of the status, the fields that somebody asks for count, too.

Contract: DEC-03.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

JSON = Mapping[str, Any]

_NOT_OURS = ("kubectl.kubernetes.io/last-applied-configuration", "deployment.kubernetes.io/revision")


class Difference(NamedTuple):
    """A place where two states differ: "spec.replicas". None is what is not there."""

    path: str
    old: Any
    new: Any

    def __str__(self) -> str:
        return f"{self.path}: {self.old!r} -> {self.new!r}"


class Change(NamedTuple):
    """What has changed since it was last handled, for handlers that take a third argument.

    `old` and `new` are the essence of the object as plain data, of a field handler the values of the field; `old` is
    None for what was never handled. Lists are compared as wholes.
    """

    old: Any
    new: Any

    @property
    def diff(self) -> list[Difference]:
        """Where they differ, in the order of their paths."""
        return list(_differences((), self.old, self.new))


def essence(obj: Any, *, leave_out: str = "", fields: Iterable[str] = ()) -> dict[str, Any]:
    """The essence of an object as plain data of its own, without the annotation `leave_out`."""
    document = obj.to_dict()
    meta = document.get("metadata") or {}
    unwanted = (leave_out, *_NOT_OURS)
    annotations = {name: text for name, text in (meta.get("annotations") or {}).items() if name not in unwanted}
    kept = {name: part for name, part in document.items() if name not in ("apiVersion", "kind", "metadata", "status")}
    labelled = {name: part for name, part in (("labels", meta.get("labels")), ("annotations", annotations)) if part}
    if labelled:
        kept["metadata"] = labelled
    for path in fields:
        steps = path.split(".")
        value = value_at(document, path)
        if steps[0] == "status" and value is not None:
            inner = kept
            for step in steps[:-1]:
                inner = inner.setdefault(step, {})
            inner[steps[-1]] = value
    return kept


def wanted(state: JSON | None) -> JSON | None:
    """A state without what is kept of the status."""
    return None if state is None else {name: part for name, part in state.items() if name != "status"}


def value_at(state: Any, path: str) -> Any:
    """The value of a field, "spec.replicas", None where there is none."""
    for step in path.split("."):
        state = state.get(step) if isinstance(state, Mapping) else None
    return state


def _differences(path: tuple[str, ...], old: Any, new: Any) -> Iterator[Difference]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in sorted({*old, *new}):
            yield from _differences((*path, name), old.get(name), new.get(name))
    elif old != new:
        yield Difference(".".join(path), old, new)
