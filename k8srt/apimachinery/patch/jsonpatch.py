"""JSON patch, RFC 6902, as API servers apply it. Contract: MACH-41.

Servers are laxer than the RFC in three places, and so is this: `replace` of a missing key adds it, `test` of null
passes where there is nothing, and negative list indexes count from the end. They are stricter in one: the whole
document (path "") cannot be the target.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from k8srt.apimachinery.documents import plain_value
from k8srt.apimachinery.patch.error import PatchError

MAX_OPERATIONS = 10_000

Operation = Mapping[str, Any]


def apply_json_patch(doc: Any, operations: Any) -> Any:
    """Return the document with every operation applied, in order.

    Raises PatchError: 400 if the patch is malformed, 413 beyond `MAX_OPERATIONS`, 422 if an operation does not
    apply; then nothing has been changed.
    """
    checked = _check(operations)
    result = copy.deepcopy(plain_value(doc))
    for operation in checked:
        _apply(result, operation)
    return result


def _check(operations: Any) -> Sequence[Operation]:
    if not isinstance(operations, list):
        raise PatchError(f"a JSON patch is a list of operations, not {type(operations).__name__}", 400)
    for operation in operations:
        if not isinstance(operation, Mapping):
            raise PatchError(f"a JSON patch operation is an object, not {operation!r}", 400)
    if len(operations) > MAX_OPERATIONS:
        raise PatchError(
            f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(operations)}", 413
        )
    return operations


def _apply(doc: Any, operation: Operation) -> None:
    name = operation.get("op")
    action = _ACTIONS.get(name) if isinstance(name, str) else None
    if action is None:
        raise PatchError(f"Unexpected kind: {name}")
    try:
        action(doc, operation)
    except _Missing as err:
        raise PatchError(f"{name} operation does not apply: {err}") from None


class _Missing(Exception):
    """A place that an operation needs is not there."""


class _Place:
    """Where a pointer leads: a container, and a key or index in it."""

    def __init__(self, doc: Any, pointer: Any) -> None:
        if not isinstance(pointer, str):
            raise PatchError(f"{pointer!r} is not a JSON pointer")
        parts = pointer.split("/")[1:]
        if not parts:
            raise _Missing(f'doc is missing path: "{pointer}"')
        *above, self.key = (part.replace("~1", "/").replace("~0", "~") for part in parts)
        self.container = doc
        for part in above:
            self.container = _step(self.container, part, pointer)
        if not isinstance(self.container, (dict, list)):
            raise _Missing(f'doc is missing path: "{pointer}"')

    def get(self) -> Any:
        """The value there; None where a map has none. Raises _Missing for a list index out of range."""
        if isinstance(self.container, dict):
            return self.container.get(self.key)
        return self.container[_index(self.container, self.key)]

    def add(self, value: Any) -> None:
        container = self.container
        if isinstance(container, dict):
            container[self.key] = value
        elif self.key == "-":
            container.append(value)
        else:
            container.insert(_index(container, self.key, room=1), value)

    def replace(self, value: Any) -> None:
        if isinstance(self.container, dict):
            self.container[self.key] = value
        else:
            self.container[_index(self.container, self.key)] = value

    def remove(self) -> Any:
        if isinstance(self.container, list):
            return self.container.pop(_index(self.container, self.key))
        if self.key not in self.container:
            raise _Missing(f"Unable to remove nonexistent key: {self.key}: missing value")
        return self.container.pop(self.key)


def _step(container: Any, part: str, pointer: str) -> Any:
    if isinstance(container, dict) and part in container:
        return container[part]
    if isinstance(container, list):
        return container[_index(container, part)]
    raise _Missing(f'doc is missing path: "{pointer}"')


def _index(container: list[Any], text: str, room: int = 0) -> int:
    size = len(container) + room
    try:
        index = int(text)
    except ValueError:
        raise _Missing(f"value was not a proper array index: '{text}'") from None
    if not -size <= index < size:
        raise _Missing(f"Unable to access invalid index: {index}: invalid index referenced")
    return index % size


def _add(doc: Any, operation: Operation) -> None:
    _Place(doc, operation.get("path")).add(copy.deepcopy(operation.get("value")))


def _remove(doc: Any, operation: Operation) -> None:
    _Place(doc, operation.get("path")).remove()


def _replace(doc: Any, operation: Operation) -> None:
    _Place(doc, operation.get("path")).replace(copy.deepcopy(operation.get("value")))


def _move(doc: Any, operation: Operation) -> None:
    value = _Place(doc, operation.get("from")).remove()
    _Place(doc, operation.get("path")).add(value)


def _copy(doc: Any, operation: Operation) -> None:
    value = _Place(doc, operation.get("from")).get()
    _Place(doc, operation.get("path")).add(copy.deepcopy(value))


def _test(doc: Any, operation: Operation) -> None:
    path, wanted = operation.get("path"), operation.get("value")
    if not same(_Place(doc, path).get(), wanted):
        raise PatchError(f"testing value {path} failed: test failed")


_ACTIONS: dict[str, Callable[[Any, Operation], None]] = {
    "add": _add,
    "copy": _copy,
    "move": _move,
    "remove": _remove,
    "replace": _replace,
    "test": _test,
}


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal. Unlike `==`, true is not 1, and 1 is not 1.0."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)
