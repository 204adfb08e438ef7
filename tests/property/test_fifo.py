"""Whatever happens to a collection, a consumer of the queue ends up with what it ended up with.

The model is the collection itself. A faithful source tells of each change; an unfaithful one misses some and lists
anew. In the end everything is popped, and the consumer's store must equal the collection; every handler must have seen
an object added before it was changed or deleted, and nothing twice.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from k8srt.tools.cache import DeltaFIFO, Indexer, RealFIFO
from k8srt.tools.cache.consumer import Notification, consume
from k8srt.tools.cache.keys import DeletedFinalStateUnknown
from k8srt.tools.cache.queue import Pending
from k8srt.tools.cache.store import GONE

KEYS = st.sampled_from("abcd")
Thing = tuple[str, int]


def by_name(thing: Thing) -> str:
    return thing[0]


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.store: Indexer[Thing] = Indexer(by_name)
        self.queue = self.make_queue()
        self.world: dict[str, Thing] = {}
        self.told: dict[str, Thing] = {}
        self.clock = 0
        self.missed = False
        self.synced = False

    def make_queue(self) -> DeltaFIFO[Thing] | RealFIFO[Thing]:
        return DeltaFIFO(by_name, known_objects=self.store, emit_delta_type_replaced=True)

    def _next(self, key: str) -> Thing:
        self.clock += 1
        return (key, self.clock)

    @rule(key=KEYS, told=st.booleans())
    def put(self, key: str, told: bool) -> None:
        thing = self._next(key)
        existed = key in self.world
        self.world[key] = thing
        if told and not self.missed:
            self.queue.update(thing) if existed else self.queue.add(thing)
        else:
            self.missed = True

    @rule(key=KEYS, told=st.booleans())
    def delete(self, key: str, told: bool) -> None:
        thing = self.world.pop(key, None)
        if thing is None:
            return
        if told and not self.missed:
            self.queue.delete(thing)
        else:
            self.missed = True

    @rule()
    def list_anew(self) -> None:
        self.queue.replace(list(self.world.values()))
        self.missed = False

    @rule()
    def resync(self) -> None:
        self.queue.resync()

    @rule(limit=st.integers(1, 4))
    def pop(self, limit: int) -> None:
        if len(self.queue):
            self.queue.pop_batch(self._process, limit)

    def _process(self, batch: Sequence[Pending], initial: bool) -> None:
        for note in consume(self.store, batch, initial):
            self._tell(note)

    def _tell(self, note: Notification) -> None:
        if note.new is GONE:
            gone = note.old
            key = gone.key if isinstance(gone, DeletedFinalStateUnknown) else gone[0]
            self.told.pop(key, None)  # of what was added and deleted in one go, only the deletion may be heard
            return
        key = note.new[0]
        assert (note.old is GONE) == (key not in self.told), "the handler's view decides: add or update"
        if note.old is not GONE:
            assert note.old == self.told[key]
        self.told[key] = note.new

    @invariant()
    def synced_once_is_synced_for_ever(self) -> None:
        now = self.queue.has_synced()
        assert now or not self.synced
        self.synced = now

    @invariant()
    def handlers_see_what_the_store_holds(self) -> None:
        assert self.told == {key: self.store.get_by_key(key) for key in self.store.list_keys()}

    def teardown(self) -> None:
        if self.missed:
            self.list_anew()
        while len(self.queue):
            self.pop(4)
        assert {key: self.store.get_by_key(key) for key in self.store.list_keys()} == self.world


class RealMachine(Machine):
    """The same on a queue that knows what the consumer knows."""

    def make_queue(self) -> RealFIFO[Thing]:
        return RealFIFO(by_name, known_objects=self.store)


class AtomicMachine(Machine):
    """The same on a queue as informers have it."""

    def make_queue(self) -> RealFIFO[Thing]:
        return RealFIFO(by_name, atomic=True, unlock_while_processing=True, emit_bookmarks=True)

    @rule()
    def bookmark(self) -> None:
        self.queue.bookmark(str(self.clock))


TestFIFO = Machine.TestCase
TestRealFIFO = RealMachine.TestCase
TestAtomicFIFO = AtomicMachine.TestCase
for each in (TestFIFO, TestRealFIFO, TestAtomicFIFO):
    each.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
