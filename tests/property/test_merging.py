"""What waits for a slow handler is merged, and the handler cannot tell, except that it hears less. Contract: SHR-02."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from k8srt.testing import FakeClock
from k8srt.tools.cache.consumer import Notification
from k8srt.tools.cache.keys import DeletedFinalStateUnknown
from k8srt.tools.cache.merging import merge
from k8srt.tools.cache.processor import Merging, Registration
from k8srt.tools.cache.store import GONE


class Thing(NamedTuple):
    key: str
    version: int


def key_of(thing: Thing) -> str:
    return thing.key


class World:
    """What is there, and who is told of its changes: as the cache has it, deletions are of what is there."""

    def __init__(self) -> None:
        self.version = 0
        self.there: dict[str, Thing] = {}

    def change(self, key: str, what: str) -> Notification | None:
        self.version += 1
        old = self.there.get(key)
        if what in ("delete", "vanish"):
            if old is None:
                return None
            del self.there[key]
            return Notification(DeletedFinalStateUnknown(key, old) if what == "vanish" else old, GONE)
        if what == "resync":
            return None if old is None else Notification(old, old)
        new = self.there[key] = Thing(key, self.version)
        return Notification(GONE, new, what == "list") if old is None else Notification(old, new)


class Keeper:
    """A handler that keeps what it is told, and notes whatever makes no sense to it."""

    def __init__(self) -> None:
        self.kept: dict[str, Thing] = {}
        self.nonsense: list[Any] = []
        self.deleted: list[Thing] = []
        self.told = 0

    def on_add(self, obj: Thing, is_in_initial_list: bool) -> None:
        self.told += 1
        if obj.key in self.kept:
            self.nonsense.append(("added twice", obj))
        self.kept[obj.key] = obj

    def on_update(self, old: Thing, new: Thing) -> None:
        self.told += 1
        if self.kept.get(old.key) != old or old.key != new.key or new.version < old.version:
            self.nonsense.append(("updated from what it was not", old, new))
        self.kept[new.key] = new

    def on_delete(self, obj: Any) -> None:
        self.told += 1
        last = obj.obj if isinstance(obj, DeletedFinalStateUnknown) else obj
        if self.kept.pop(last.key, None) is None:
            self.nonsense.append(("deleted, and never seen", obj))
        self.deleted.append(last)


KEYS = st.sampled_from("abcd")
CHANGES = st.tuples(KEYS, st.sampled_from(["write", "write", "list", "delete", "vanish", "resync"]))


def changes_of(world: World, changes: list[tuple[str, str]]) -> Iterator[Notification]:
    for key, what in changes:
        made = world.change(key, what)
        if made is not None:
            yield made


@given(before=st.lists(CHANGES, max_size=8), waiting=st.lists(CHANGES, max_size=40))
def test_shr_02_what_is_left_tells_the_same_in_the_end(
    before: list[tuple[str, str]], waiting: list[tuple[str, str]]
) -> None:
    world, keeper, told_all = World(), Keeper(), Keeper()
    for each in changes_of(world, before):
        each.tell(keeper, lambda kept: kept)
        each.tell(told_all, lambda kept: kept)
    known, earlier = set(keeper.kept), len(keeper.deleted)
    queued = list(changes_of(world, waiting))

    left = merge(queued, key_of)

    for each in queued:
        each.tell(told_all, lambda kept: kept)
    for each in left:
        each.tell(keeper, lambda kept: kept)
    assert keeper.nonsense == told_all.nonsense == []
    assert keeper.kept == told_all.kept == world.there
    assert len(left) <= min(2 * len({key for key, _ in waiting}), len(queued))
    assert {each.key for each in keeper.deleted[earlier:]} == known & {each.key for each in told_all.deleted[earlier:]}
    assert merge(left, key_of) == left


STEPS = st.lists(st.one_of(st.lists(CHANGES, min_size=1, max_size=6), st.just("tell")), max_size=40)


@given(steps=STEPS, beyond=st.integers(1, 6), late=st.booleans())
def test_shr_02_a_slow_handler_ends_up_with_what_is_there(
    steps: list[list[tuple[str, str]] | str], beyond: int, late: bool
) -> None:
    world, keeper = World(), Keeper()
    registration = Registration(keeper, lambda kept: kept, FakeClock(), about="Things", merging=Merging(beyond, key_of))
    made = 0
    for step in steps:
        if isinstance(step, str):
            tell_a_batch(registration)
            continue
        chunk = list(changes_of(world, step))
        made += len(chunk)
        if chunk:
            registration.push(chunk, sum(each.initial for each in chunk))
    if not late:
        registration.upstream_has_synced()
    while registration.debug_state()["pending"]:
        tell_a_batch(registration)
    registration.upstream_has_synced()

    assert keeper.nonsense == []
    assert keeper.kept == world.there
    assert keeper.told + registration.debug_state()["merged"] == made
    assert registration.has_synced()


def tell_a_batch(registration: Registration) -> None:
    """What its thread does, which is not started here."""
    if registration.debug_state()["pending"]:
        chunk = registration._next()
        assert chunk is not None
        registration._tell_all(chunk)
