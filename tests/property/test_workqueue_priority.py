"""The queue with priorities against a list that is sorted anew each time."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from k8srt.errors import WaitTimeout
from k8srt.testing.clock import FakeClock
from k8srt.util.workqueue import PriorityQueue

ITEMS = st.sampled_from("abcdef")


@dataclass
class Known:
    """An item that waits (`due` is set) or is ready."""

    priority: int
    due: float | None
    order: int
    settles_since: float | None = None


class PriorityQueueMachine(RuleBasedStateMachine):
    """What WQ-51 to WQ-57 say, without a thought for speed."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock(now=0.0)
        self.queue = PriorityQueue[str](clock=self.clock, max_wait=None)
        self.known: dict[str, Known] = {}
        self.working: set[str] = set()
        self.count = 0

    def next_order(self) -> int:
        self.count += 1
        return self.count

    @rule(
        items=st.lists(ITEMS, max_size=3),
        after=st.integers(min_value=0, max_value=4).map(float),
        priority=st.integers(min_value=-2, max_value=2),
    )
    def add(self, items: list[str], after: float, priority: int) -> None:
        self.queue.add_with(items, after=after, priority=priority)
        due = self.clock.now() + after if after else None
        for item in items:
            known = self.known.get(item)
            if known is None:
                self.known[item] = Known(priority, due, self.next_order())
                continue
            became_ready = known.due is not None and due is None
            raised = priority > known.priority
            sooner = known.due is not None and due is not None and due < known.due
            known.priority = max(known.priority, priority)
            if known.due is not None:
                known.due = None if due is None else min(due, known.due)
            if became_ready or sooner:
                known.settles_since = None
            if became_ready or sooner or (raised and known.due is None):
                known.order = self.next_order()

    @rule(item=ITEMS, quiet=st.integers(1, 3).map(float), priority=st.integers(min_value=-2, max_value=2))
    def add_settled(self, item: str, quiet: float, priority: int) -> None:
        longest = 2 * quiet
        self.queue.add_settled([item], quiet=quiet, longest=longest, priority=priority)
        now, known = self.clock.now(), self.known.get(item)
        if known is None:
            self.known[item] = Known(priority, now + quiet, self.next_order(), now)
            return
        if known.due is None:
            if priority > known.priority:
                known.priority, known.order = priority, self.next_order()
            return
        known.priority = max(known.priority, priority)
        settling = known.settles_since is not None
        since = known.settles_since if known.settles_since is not None else now
        due = min(now + quiet, since + longest)
        if settling or due < known.due:
            known.due, known.order = due, self.next_order()
        if known.due == due:
            known.settles_since = since

    @rule(seconds=st.integers(min_value=0, max_value=3))
    def advance(self, seconds: int) -> None:
        self.clock.advance(float(seconds))
        waiting = [known for known in self.known.values() if known.due is not None]
        for known in sorted(waiting, key=lambda k: (k.due, k.order)):
            if known.due is not None and known.due <= self.clock.now():
                known.due, known.order, known.settles_since = None, self.next_order(), None

    @rule()
    def get(self) -> None:
        eligible = [i for i, k in self.known.items() if k.due is None and i not in self.working]
        if not eligible:
            with pytest.raises(WaitTimeout):
                self.queue.get(timeout=0.0)
            return
        item = min(eligible, key=lambda i: (-self.known[i].priority, self.known[i].order))
        assert self.queue.get_with_priority(timeout=0.0) == (item, self.known.pop(item).priority)
        self.working.add(item)

    @rule(item=ITEMS)
    def done(self, item: str) -> None:
        self.queue.done(item)
        self.working.discard(item)

    @invariant()
    def agrees(self) -> None:
        ready = [item for item, known in self.known.items() if known.due is None]
        assert len(self.queue) == len(ready)
        state = self.queue.debug_state()
        assert set(state["working"]) == self.working
        now = self.clock.now()
        waiting = {item: known.due - now for item, known in self.known.items() if known.due is not None}
        assert {entry["item"]: entry["due_in"] for entry in state["waiting"]} == waiting


TestPriorityQueue = PriorityQueueMachine.TestCase
TestPriorityQueue.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
