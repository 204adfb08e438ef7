"""A registry: what is to be added to a manager that is not there yet.

    registry = Registry()                    # in a module

    @registry.controller(Foo, owns=[Deployment])
    def reconcile(obj, ctx): ...

    mgr.include(registry)                    # in the program, any number of times and managers

Contract: DEC-03, DEC-04.
"""

from __future__ import annotations

import operator
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

if TYPE_CHECKING:
    from k8srt.controller.manager.decorating import Decorators as _Decorators  # they leave functions as they are
    from k8srt.controller.manager.manager import Manager
else:
    _Decorators = object

DECORATORS = (
    "controller",
    "timer",
    "daemon",
    "on_start",
    "on_stop",
    "runnable",
    "index",
    "check",
    "validate",
    "mutate",
    "convert",
)
CHANGES = ("create", "update", "delete", "field")
_BARE = ("on_start", "on_stop")


class Registry(_Decorators):
    """See the module: it has the decorators of `Manager`, with the same arguments. Thread-safe."""

    if not TYPE_CHECKING:

        @property
        def on(self) -> _On:
            """Decorators for handlers of single changes."""
            return _On(self)

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards _entries
        self._entries: list[tuple[str, tuple[Any, ...], dict[str, Any], Callable[..., Any]]] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in DECORATORS:
            raise AttributeError(f"a Registry has no {name!r}; it has {', '.join(DECORATORS)}")

        def decorator(*args: Any, **options: Any) -> Any:
            if not options and len(args) == 1 and (name in _BARE or (name == "runnable" and callable(args[0]))):
                return self._note(name, None, {}, args[0])
            return lambda function: self._note(name, args, options, function)

        return decorator

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *DECORATORS]

    def _note(self, name: str, args: tuple[Any, ...] | None, options: dict[str, Any], function: F) -> F:
        if not callable(function):
            raise TypeError(f"{name}: expected a function, got {function!r}")
        with self._lock:
            self._entries.append((name, args or (), options, function))
        return function

    def add_to(self, manager: Manager) -> None:
        """Add all of it to a manager, in the order in which it was defined. Raises what the decorators raise."""
        with self._lock:
            entries = list(self._entries)
        for name, args, options, function in entries:
            decorator = operator.attrgetter(name)(manager)
            if name in _BARE:
                decorator(function)
            else:
                decorator(*args, **options)(function)

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)

    def __repr__(self) -> str:
        with self._lock:
            return f"<Registry of {', '.join(sorted({entry[0] for entry in self._entries})) or 'nothing'}>"


class _On:
    """The decorators for handlers of single changes."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in CHANGES:
            raise AttributeError(f"there is no on.{name}; there are {', '.join(CHANGES)}")
        note = self._registry._note
        return lambda *args, **options: lambda function: note(f"on.{name}", args, options, function)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *CHANGES]
