"""Reactors: functions that answer in the place of the server, or let it answer.

    def conflict_once(action): ...
    fake.prepend_reactor("update", "deployments.apps", conflict_once)

A reactor is called with the `Action`, in the thread that makes the call and with no lock held, so it may use
`fake.tracker`. It

- returns `NotHandled`, or nothing, to leave the call to the next one, in the end to the server;
- returns an object, a list, plain data, or text (of logs), which is the answer, and nothing is stored;
- returns `Handled` for an answer that says nothing particular: an update gives what it was sent, a list is empty;
- raises, and the caller gets what a real client raises: a `StatusError` as the server's answer, an `OSError` as
  the TransportError it would become, anything else as it is.

Contract: CLI-29, CLI-30, CLI-35.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, Final, Generic, Literal, TypeVar

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.objectlist import ObjectList
from k8srt.testing.fake.actions import Action, Named
from k8srt.testing.fake.watcher import FakeWatcher


class Verdict(Enum):
    """What a reactor says that has no object to return."""

    NOT_HANDLED = "NotHandled"
    HANDLED = "Handled"

    def __repr__(self) -> str:
        return self.value


NotHandled: Final[Literal[Verdict.NOT_HANDLED]] = Verdict.NOT_HANDLED
"""Returned by a reactor that leaves the call to the next one."""
Handled: Final[Literal[Verdict.HANDLED]] = Verdict.HANDLED
"""Returned by a reactor that has dealt with the call and has nothing to show for it."""

Reaction = Object | ObjectList[Any] | Mapping[str, Any] | Sequence[Object] | str | bytes | Verdict | None
Reactor = Callable[[Action], Reaction]
WatchReactor = Callable[[Action], FakeWatcher | Literal[Verdict.NOT_HANDLED] | None]

F = TypeVar("F")


class Chain(Generic[F]):
    """Reactors in the order they are asked. Thread-safe; changes do not reach a call that is under way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards _links
        self._links: list[tuple[str, Named, Callable[[Action], F]]] = []

    def add(self, verb: str, resource: Named, react: Callable[[Action], F], *, first: bool = False) -> None:
        if not callable(react):
            raise TypeError(f"a reactor is a function of an action, not {react!r}")
        with self._lock:
            self._links.insert(0 if first else len(self._links), (verb, resource, react))

    def remove(self, react: Callable[[Action], F]) -> None:
        with self._lock:
            self._links = [link for link in self._links if link[2] != react]

    def clear(self) -> None:
        with self._lock:
            self._links.clear()

    def match(self, action: Action) -> list[Callable[[Action], F]]:
        """Those that are to be asked about an action."""
        with self._lock:
            return [react for verb, resource, react in self._links if action.matches(verb, resource)]

    def ask(self, action: Action) -> F | None:
        """The answer of the first that handles the action; None when none does. Raises what a reactor raises."""
        for react in self.match(action):
            answer = react(action)
            if answer is not None and answer is not NotHandled:
                return answer
        return None
