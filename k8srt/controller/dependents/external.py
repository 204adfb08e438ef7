"""Dependents outside of the cluster: a bucket, an account, a DNS record.

    class Bucket(ExternalDependent[dict[str, str]]):
        def desired(self, primary, ctx): return {"region": primary.spec.region}
        def read(self, primary): return s3.find(primary.metadata.name)
        def create(self, primary, wanted): return s3.create(primary.metadata.name, **wanted)
        def delete(self, primary, actual): s3.delete(primary.metadata.name)

    @mgr.controller(Site, dependents=[Bucket("bucket", poll=60.0)])

They are looked at every so often, and what has changed leads to a reconcile.

Contract: DEP-02.
"""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from k8srt.controller.dependents.keeper import absent, gone
from k8srt.controller.dependents.member import Member
from k8srt.controller.dependents.state import DependentResult, DependentState
from k8srt.controller.handler import EnqueueMapped
from k8srt.controller.request import Request
from k8srt.controller.sources.timed import Poll, digest
from k8srt.util.clock import Clock

if TYPE_CHECKING:
    from k8srt.controller.context import Context
    from k8srt.controller.dependents.member import After, Condition

T = TypeVar("T")

log = logging.getLogger(__name__)


class ExternalDependent(Member, ABC, Generic[T]):
    """Something that is not in the cluster, kept for an object that is: see `Member` for order and conditions.

    Subclasses say how it is read, created and deleted. It is deleted before the primary may go, which a finalizer sees
    to. Methods are called by any thread; within a reconcile `k8srt.controller.current()` is its context.
    """

    def __init__(
        self,
        name: str,
        *,
        poll: float | None = 60.0,
        depends_on: After = (),
        when: Condition | None = None,
        ready: Callable[[T, Context[Any]], object] | None = None,
        deleted: Condition | None = None,
        active: Condition | None = None,
    ) -> None:
        """`poll`: seconds between looks at it, None for never. Raises ValueError, TypeError for what cannot be."""
        super().__init__(
            name,
            depends_on=depends_on,
            when=when,
            ready=ready,
            deleted=deleted,
            active=active,
            delete="explicit",
        )
        if poll is not None and not poll > 0.0:
            raise ValueError(f"dependent {name}: poll: more than 0 seconds, not {poll!r}")
        self.poll = poll

    @abstractmethod
    def desired(self, primary: Any, ctx: Context[Any]) -> T | None:
        """What it should be; None if there should be none."""

    @abstractmethod
    def read(self, primary: Any) -> T | None:
        """What there is, None for nothing."""

    @abstractmethod
    def create(self, primary: Any, wanted: T) -> T | None:
        """Create it. Returns it as `read` would, or None to have it read."""

    def update(self, primary: Any, actual: T, wanted: T) -> T | None:
        """Change it, by default by deleting and creating it. Returns as `create`."""
        self.delete(primary, actual)
        return self.create(primary, wanted)

    @abstractmethod
    def delete(self, primary: Any, actual: T) -> None:
        """Delete it, or begin to. While it is still there, it is asked for again."""

    def matches(self, actual: T, wanted: T) -> bool:
        """Whether it is as it should be; by default whether both are equal."""
        return bool(actual == wanted)

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "poll": self.poll}


class _Look(NamedTuple):
    """What was seen of one."""

    request: Request
    thing: Any


class ExternalKeeper:
    """See `Keeper`."""

    def __init__(self, dependent: ExternalDependent[Any]) -> None:
        self._dependent = dependent
        self._lock = threading.Lock()  # guards _seen
        self._seen: dict[Request, bytes] = {}  # what reconciles have made of it

    def bring(self, primary: Any, ctx: Context[Any]) -> DependentState:
        dependent = self._dependent
        wanted = dependent.desired(primary, ctx)
        if wanted is None:
            state = self.remove(primary, ctx)
            return absent(state.name, deleted=state.result is DependentResult.DELETED, is_gone=state.ready)
        actual = dependent.read(primary)
        if actual is None:
            result, thing = DependentResult.CREATED, dependent.create(primary, wanted)
        elif not dependent.matches(actual, wanted):
            result, thing = DependentResult.UPDATED, dependent.update(primary, actual, wanted)
        else:
            result, thing = DependentResult.UNCHANGED, actual
        if thing is None:
            thing = dependent.read(primary)
        self._note(ctx.request, thing)
        if thing is None:  # not there yet: whoever looks will find it
            return DependentState(dependent.name, result)
        ready = dependent.ready is None or bool(dependent.ready(thing, ctx))
        return DependentState(dependent.name, result, ready=ready, objects={"": thing})

    def remove(self, primary: Any, ctx: Context[Any]) -> DependentState:
        actual = self._dependent.read(primary)
        if actual is not None:
            self._dependent.delete(primary, actual)
        left = None if actual is None else self._dependent.read(primary)
        self._note(ctx.request, left)
        is_gone = gone(self._dependent, primary, ctx, () if left is None else (left,))
        return absent(self._dependent.name, deleted=actual is not None, is_gone=is_gone, wanted=False)

    # ---- looking at it --------------------------------------------------------------------------------------------

    def source(self, primary_of: Callable[[Request], Any], clock: Clock) -> Poll | None:
        """What looks at those that a reconcile has seen; None if nothing does."""
        if self._dependent.poll is None:
            return None
        handler = EnqueueMapped(lambda look: [look.request])
        return _Looks(self, primary_of, self._dependent.poll, handler, clock)

    def looks(self, primary_of: Callable[[Request], Any]) -> list[_Look]:
        """All there are, as they are. Those of primaries that are gone are forgotten."""
        with self._lock:
            requests = list(self._seen)
        found = []
        for request in requests:
            primary = primary_of(request)
            if primary is None:
                with self._lock:
                    self._seen.pop(request, None)
                continue
            try:
                found.append(_Look(request, self._dependent.read(primary)))
            except Exception:
                log.exception("dependent %s of %s could not be read", self._dependent.name, request)
        return found

    def changed(self, look: _Look) -> bool:
        """Whether it is not as a reconcile has left it."""
        with self._lock:
            seen = self._seen.get(look.request)
        return seen is not None and seen != digest(look.thing)

    def _note(self, request: Request, thing: Any) -> None:
        if self._dependent.poll is None:
            return
        with self._lock:
            self._seen[request] = digest(thing)

    def __repr__(self) -> str:
        return repr(self._dependent)


class _Looks(Poll):
    """Looks at all that one keeper keeps."""

    def __init__(
        self,
        keeper: ExternalKeeper,
        primary_of: Callable[[Request], Any],
        interval: float,
        handler: EnqueueMapped,
        clock: Clock,
    ) -> None:
        super().__init__(
            lambda: keeper.looks(primary_of),
            interval,
            key=lambda look: look.request,
            handler=handler,
            where=keeper.changed,
            clock=clock,
        )
        self._about = f"<Poll {keeper!r} every {interval:g}s>"

    def __repr__(self) -> str:
        return self._about
