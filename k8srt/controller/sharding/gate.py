"""What stands between a controller and the keys of others: they are not queued, not handed out, and not written for.

Whether a key is ours is asked again when it is handed out, since what waits in a queue outlives moves, and before each
write. What others have is dropped. Once it becomes ours, everything that the cache has is queued again; what the cache
does not have, as it is gone, or as the controller is for no kind, is put aside for that.

Contract: SHD-04, SHD-06.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

from cachetools import TTLCache

from k8srt.controller.event import DeleteEvent
from k8srt.controller.failures import KeyMoved
from k8srt.controller.kinds import gvk_of
from k8srt.controller.reasons import event_told
from k8srt.controller.request import Request
from k8srt.controller.sharding.hashring import HashRing
from k8srt.controller.sharding.keys import MOST, Keys
from k8srt.controller.sharding.membership import Membership
from k8srt.controller.sharding.view import View
from k8srt.errors import K8srtError
from k8srt.util.clock import Clock
from k8srt.util.workqueue import LOW_PRIORITY

if TYPE_CHECKING:
    from k8srt.controller.controller import Controller

log = logging.getLogger(__name__)

_LONG = 4.0
"""What is gone is put aside for so many lease durations: until a shard that did not get to it has been replaced."""

_BARE = "PartialObjectMetadata"

_FRESH = 10.0
"""Seconds for which a count of the keys is good enough."""


class Gate:
    """See the module: that of one controller. Thread-safe."""

    def __init__(self, controller: Controller, membership: Membership, clock: Clock) -> None:
        ring = membership.ring
        self._controller = controller
        self._kind = controller.kind
        self._membership = membership
        self._keys = Keys(controller.name, controller.kind, ring.controlled, self._cached, clock.now)
        self._clock = clock
        ring_now = membership.view.ring
        self._settled = ring_now if ring_now.shards else None  # the shards when keys were last taken; of who looks
        self._lock = threading.Lock()  # guards all below
        self._aside: set[Request] = set()
        self._gone: TTLCache[Request, None] = TTLCache(MOST, _LONG * ring.lease_duration, timer=clock.now)
        self._counted: tuple[HashRing, float, Counter[str]] | None = None

    def _cached(self, request: Request) -> Any:
        """The object as the cache has it, None for none, or if the cache has ended or never had it."""
        try:
            return self._controller.cache.get(self._kind, request, timeout=0.0)
        except K8srtError:
            return None

    # ---- what the controller asks ---------------------------------------------------------------------------------

    def may_queue(self, request: Request) -> bool:
        """Whether a request is worth queueing."""
        if self._kind is None:
            return True
        event = event_told()
        if isinstance(event, DeleteEvent):
            if Request.of(event.object) == request and event.object.kind in (gvk_of(self._kind).kind, _BARE):
                self._keys.note_gone(event.object)
            return True
        return self.seconds_until(request) is not None or self._cached(request) is None

    def seconds_until(self, request: Request) -> float | None:
        """In how many seconds it may be reconciled here: 0 for now, None for not at all."""
        return self._membership.seconds_until_mine(self._keys.of(request))

    def leave(self, request: Request) -> None:
        """It was handed out, and is another's."""
        if self._kind is not None and self._cached(request) is not None:
            return
        with self._lock:
            if self._kind is None:
                self._aside.add(request)
            else:
                self._gone[request] = None
        if self.seconds_until(request) is not None:  # it has come here meanwhile, and nobody has seen it put aside
            self._queue_again([request])

    def check(self, request: Request) -> None:
        """Raise KeyMoved unless no other shard can reconcile it: for just before a write."""
        if self.seconds_until(request) != 0.0:
            key = self._keys.of(request)
            owner = self._membership.view.owner(key)
            why = "cannot be sure of it" if owner == self._membership.me else f"it is {owner or 'nobody'}'s now"
            raise KeyMoved(f"{self._controller.name}: {self._membership.me} does not write for {request}: {why}")

    # ---- what happens to it ---------------------------------------------------------------------------------------

    def seen(self, view: View) -> None:
        """These shards are there. If others were before, leave what is theirs now, and look at what is ours."""
        before = self._settled
        if view.ring is before:
            return
        self._settled = view.ring
        try:
            self._controller.keep_only(lambda request: view.owner(self._keys.of(request)) == view.me)
            if before is not None:
                self._take(before, view)
        except K8srtError as err:  # above all: the cache is not filled yet
            log.debug("controller %s: keys that have moved are looked at later: %s", self._controller.name, err)
            self._settled = HashRing()  # then all that is ours
        except Exception:
            log.exception("controller %s: keys that have moved could not be looked at", self._controller.name)

    def _take(self, old: HashRing, new: View) -> None:
        with self._lock:
            aside = {*self._gone, *self._aside}
        gained = []
        for request in {*aside, *self._requests()}:
            key = self._keys.of(request)
            if new.owner(key) == new.me and (old.owner(key) != new.me or request in aside):
                gained.append(request)
        if gained:
            log.info("controller %s: %d keys have come to this shard", self._controller.name, len(gained))
            self._queue_again(gained)

    def _queue_again(self, requests: list[Request]) -> None:
        with self._lock:
            self._aside.difference_update(requests)
            for request in requests if self._gone else ():
                self._gone.pop(request, None)
        self._controller.queue_again(requests, "moved here", LOW_PRIORITY)

    def _requests(self) -> list[Request]:
        """What the controller is for, as far as it is cached."""
        return [] if self._kind is None else self._controller.requests_cached(timeout=0.0)

    # ---- asking ---------------------------------------------------------------------------------------------------

    def count(self) -> Counter[str]:
        """How many of the keys that are cached are whose; some seconds old, unless the shards have changed since."""
        ring, now = self._membership.view.ring, self._clock.now()
        with self._lock:
            counted = self._counted
        if counted is None or counted[0] is not ring or now - counted[1] >= _FRESH:
            try:
                requests = self._requests()
            except K8srtError:  # the cache is not filled yet, or has ended
                return Counter()
            counted = ring, now, Counter(ring.owner(self._keys.of(request)) for request in requests)
            with self._lock:
                self._counted = counted
        return counted[2]

    def debug_state(self) -> dict[str, Any]:
        """How many keys are whose, and what was put aside."""
        with self._lock:
            aside = len(self._aside) + len(self._gone)
        return {"keys": dict(sorted(self.count().items())), "aside": aside}

    def __repr__(self) -> str:
        return f"<Gate of {self._controller.name}>"
