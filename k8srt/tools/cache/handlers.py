"""Those who are told of changes.

A handler has `on_add(obj, is_in_initial_list)`, `on_update(old, new)` and `on_delete(obj)`; `on_delete` may get a
`DeletedFinalStateUnknown` in place of an object. What it gets belongs to it. Functions make a handler, too.

Contract: INF-07 to INF-09, INF-48.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from k8srt.tools.cache.keys import DeletedFinalStateUnknown, ObjectName, meta_namespace_key, metadata_of

T = TypeVar("T")


class Handler(Protocol):
    """What an informer calls, from one thread, one call at a time."""

    def on_add(self, obj: Any, is_in_initial_list: bool) -> object: ...
    def on_update(self, old: Any, new: Any) -> object: ...
    def on_delete(self, obj: Any) -> object: ...


def _ignore(*_: Any) -> None: ...


class ResourceEventHandlerFuncs:
    """A handler of functions, any of which may be missing.

    `on_add` gets the object, and whether it belongs to the initial list if it has room for a second argument.
    """

    def __init__(
        self,
        on_add: Callable[..., object] | None = None,
        on_update: Callable[[Any, Any], object] | None = None,
        on_delete: Callable[[Any], object] | None = None,
    ) -> None:
        self.functions = tuple(func for func in (on_add, on_update, on_delete) if func is not None)
        self.on_add = _with_flag(on_add)
        self.on_update = on_update or _ignore
        self.on_delete = on_delete or _ignore


ResourceEventHandlerDetailedFuncs = ResourceEventHandlerFuncs
"""The upstream name of the one whose `on_add` gets two arguments."""


def _with_flag(on_add: Callable[..., object] | None) -> Callable[[Any, bool], object]:
    if on_add is None:
        return _ignore
    try:
        inspect.signature(on_add).bind(None, False)
    except TypeError:
        return lambda obj, is_in_initial_list: on_add(obj)
    except ValueError:  # written in C: no signature
        return lambda obj, is_in_initial_list: on_add(obj)
    return on_add


class FilteringResourceEventHandler:
    """Passes on what a filter accepts; an object that begins or ceases to pass is added or deleted.

    On a deletion the filter may be handed a tombstone. Contract: INF-08.
    """

    def __init__(self, accepts: Callable[[Any], bool], handler: Handler) -> None:
        self._accepts = accepts
        self._handler = handler

    def on_add(self, obj: Any, is_in_initial_list: bool) -> None:
        if self._accepts(obj):
            self._handler.on_add(obj, is_in_initial_list)

    def on_update(self, old: Any, new: Any) -> None:
        newer, older = self._accepts(new), self._accepts(old)
        if newer and older:
            self._handler.on_update(old, new)
        elif newer:
            self._handler.on_add(new, False)
        elif older:
            self._handler.on_delete(old)

    def on_delete(self, obj: Any) -> None:
        if self._accepts(obj):
            self._handler.on_delete(obj)


class DeletedObject(NamedTuple, Generic[T]):
    """What is known of something that is gone: its last state, or a tombstone, or neither. Contract: INF-09."""

    optional_obj: T | None = None
    final_state_unknown: DeletedFinalStateUnknown[T] | None = None

    def get_key(self) -> str:
        """The tombstone's key, or the object's; "" without either."""
        if self.final_state_unknown is not None:
            return self.final_state_unknown.key
        return "" if metadata_of(self.optional_obj) is None else meta_namespace_key(self.optional_obj)

    def get_object_name(self) -> ObjectName:
        """The key, split at its first slash."""
        namespace, slash, name = self.get_key().partition("/")
        return ObjectName(namespace, name) if slash else ObjectName("", namespace)


class TypedEventHandler:
    """A handler whose `on_delete` gets a `DeletedObject`, never a tombstone."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self.on_add = handler.on_add
        self.on_update = handler.on_update

    def on_delete(self, obj: Any) -> None:
        if isinstance(obj, DeletedFinalStateUnknown):
            self._handler.on_delete(DeletedObject(obj.obj, obj))
        else:
            self._handler.on_delete(DeletedObject(obj))


def handler_name(handler: Any) -> str:
    """What to call a handler in logs and thread names. Contract: INF-48."""
    functions = getattr(handler, "functions", None)
    if not functions:
        kind = type(handler)
        return f"{kind.__module__}.{kind.__qualname__}"
    names = [f"{getattr(f, '__module__', '')}.{getattr(f, '__qualname__', type(f).__qualname__)}" for f in functions]
    owners = {name.removesuffix(".<lambda>").rpartition(".")[0] if "<lambda>" not in name else name for name in names}
    if len(owners) == 1 and len(names) > 1:
        return owners.pop()
    return "+".join(dict.fromkeys(names))
