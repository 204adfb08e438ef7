"""Which objects a timer or a daemon is for, and which events change anything for it.

What an object does or has that does not matter here leads to nothing: with 10,000 timed objects whose status changes
all the time, nobody is woken.

Contract: TMR-01, TMR-03, FLT-01.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from k8srt.controller.event import CreateEvent, Event, UpdateEvent
from k8srt.controller.finalizers import contains_finalizer
from k8srt.controller.predicate import Predicate

Changed = Callable[[Any, Any], bool]


class Members(Predicate):
    """Lets through what comes, goes, or changes whether it matches; of other updates those that `changed(old, new)`
    says. `finalizer` is ours: what has it is our business though it does not match."""

    def __init__(self, predicates: Sequence[Predicate], changed: Changed, finalizer: str = "") -> None:
        self._predicates = list(predicates)
        self._changed = changed
        self._finalizer = finalizer

    def matches(self, obj: Any) -> bool:
        """Whether an object as it is passes all filters."""
        return all(each.accepts(CreateEvent(obj)) for each in self._predicates)

    def accepts(self, event: Event) -> bool:
        if not isinstance(event, UpdateEvent):
            return self.matches(event.object) or self._holds(event.object)
        old, new = event.old, event.new
        matched, matches = self.matches(old), self.matches(new)
        concerned, concerns = matched or self._holds(old), matches or self._holds(new)
        if matched != matches or concerned != concerns:
            return True
        return concerns and (bool(old.metadata.uid != new.metadata.uid) or self._changed(old, new))

    def _holds(self, obj: Any) -> bool:
        return bool(self._finalizer) and contains_finalizer(obj, self._finalizer)

    def __repr__(self) -> str:
        return f"<members {self._predicates!r}>"
