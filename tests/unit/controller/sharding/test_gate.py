"""What a controller does with the keys of others: nothing, until they are its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import OwnerReference
from k8srt.controller import Context, KeyMoved, Request, Result, Ring
from k8srt.controller.event import CreateEvent, DeleteEvent, UpdateEvent
from k8srt.controller.sharding.gate import Gate
from k8srt.controller.sharding.hashring import HashRing
from k8srt.controller.sharding.view import View
from k8srt.controller.timers.daemons import Daemons, Terms
from k8srt.controller.timers.making import attach
from k8srt.controller.timers.members import Members
from k8srt.errors import WaitTimeout
from k8srt.testing import eventually
from tests.unit.controller.rig import LONG, ByHand, Rig, config_map

ALONE, BOTH = HashRing(["me"]), HashRing(["me", "other"])
MINE = next(f"c{n}" for n in range(99) if BOTH.owner(f"/ConfigMap/default/c{n}") == "me")
THEIRS = next(f"c{n}" for n in range(99) if BOTH.owner(f"/ConfigMap/default/c{n}") == "other")


class Known:
    """What a membership says, as a test wants it."""

    me = "me"

    def __init__(self, ring: HashRing, now: Callable[[], float], controlled: tuple[Any, ...] = ()) -> None:
        self.ring = Ring("foo", controlled=controlled)
        self.view = self.seen(ring)
        self._now = now

    def seen(self, ring: HashRing, mine_from: float = 0.0, sure_until: float = 1e9) -> View:
        return View("me", ring, {}, mine_from, sure_until)

    def seconds_until_mine(self, key: str) -> float | None:
        return self.view.seconds_until_mine(key, self._now(), patience=2.0)


class Sharded(Rig):
    """A controller behind a gate."""

    def __init__(self, reconcile: Any, ring: HashRing = BOTH, *, controlled: Any = (), **options: Any) -> None:
        super().__init__(reconcile, **options)
        self.known = Known(ring, self.clock.now, controlled)
        self.gate = Gate(self.controller, self.known, self.clock)  # type: ignore[arg-type]
        self.controller.admit_by(self.gate)
        self.source = ByHand()
        self.controller.watch(self.source, "for ConfigMap")

    def see(self, ring: HashRing, mine_from: float = 0.0) -> None:
        """Other shards are there."""
        self.known.view = self.known.seen(ring, mine_from)
        self.gate.seen(self.known.view)

    def waits(self, name: str, due_in: float) -> None:
        """Wait until a request waits for its time."""
        eventually(lambda: self._due(name) == due_in, timeout=LONG)

    def _due(self, name: str) -> float | None:
        found = [each for each in self.controller.queue_snapshot() if each["request"].endswith(name)]
        return found[0].get("due_in") if found else None


class Journal:
    """What was reconciled, in order."""

    def __init__(self, then: Callable[[Context[Any]], Any] = lambda ctx: None) -> None:
        self._then = then
        self._cond = threading.Condition()
        self.names: list[str] = []
        self.contexts: list[Context[Any]] = []

    def __call__(self, request: Request, ctx: Context[Any]) -> Any:
        with self._cond:
            self.names.append(request.name)
            self.contexts.append(ctx)
            self._cond.notify_all()
        return self._then(ctx)

    def wait_for(self, *names: str) -> None:
        with self._cond:
            assert self._cond.wait_for(lambda: sorted(self.names) == sorted(names), LONG), self.names


def test_shd_04_what_is_anothers_is_not_even_queued() -> None:
    journal = Journal()
    with Sharded(journal) as rig:
        rig.create(THEIRS)
        rig.create(MINE)
        rig.ended()

        assert rig.controller.reconcile_all() == 1
        rig.ended(times=2)

        assert journal.names == [MINE, MINE]
        assert rig.controller.queue_snapshot() == []


def test_shd_04_what_is_to_be_ours_waits_until_the_hand_over_is_over() -> None:
    journal = Journal()
    rig = Sharded(journal)
    rig.known.view = rig.known.seen(BOTH, mine_from=rig.clock.now() + 15.0)
    with rig:
        rig.create(MINE)
        rig.waits(MINE, 15.0)
        assert journal.names == []

        rig.clock.advance(15.0)

        rig.ended()
        assert journal.names == [MINE]


def test_shd_04_and_06_what_moves_here_is_looked_at_and_what_moves_away_is_left() -> None:
    journal = Journal(lambda ctx: Result(requeue_after=60.0))
    with Sharded(journal, ALONE) as rig:
        rig.create(MINE)
        rig.create(THEIRS)
        rig.ended(outcome="requeue_after", times=2)

        rig.see(BOTH)
        rig.clock.advance(60.0)
        journal.wait_for(MINE, THEIRS, MINE)  # asked again when handed out
        rig.ended(outcome="requeue_after", times=3)
        rig.see(ALONE)

        journal.wait_for(MINE, THEIRS, MINE, THEIRS)
        assert [str(reason) for reason in journal.contexts[-1].reasons] == ["moved here"]
        assert journal.contexts[-1].priority < 0


def test_shd_06_a_reconcile_whose_key_moves_is_told_cannot_write_and_is_not_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    refused: list[BaseException] = []

    def then(ctx: Context[Any]) -> None:
        assert ctx.stop.wait(LONG)
        try:
            ctx.client.create(config_map("made"))
        except KeyMoved as err:
            refused.append(err)
            raise

    journal = Journal(then)
    with Sharded(journal, ALONE) as rig:
        rig.create(THEIRS)
        journal.wait_for(THEIRS)

        rig.see(BOTH)

        rig.ended(outcome="error")
        assert rig.controller.queue_snapshot() == []
        assert rig.client.written == []
    assert str(refused[0]) == f"rig: me does not write for default/{THEIRS}: it is other's now"
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_shd_06_while_nothing_is_sure_nothing_is_written_and_what_failed_is_tried_again() -> None:
    def then(ctx: Context[Any]) -> None:
        if len(journal.names) == 1:
            rig.known.view = rig.known.seen(ALONE, sure_until=0.0)
        ctx.client.create(config_map("made"))

    journal = Journal(then)
    with Sharded(journal, ALONE, backoff=(1.0, 1.0)) as rig:
        rig.create(MINE)
        rig.ended(outcome="error")
        rig.waits(MINE, 1.0)
        rig.clock.advance(1.0)
        rig.waits(MINE, 2.0)
        assert journal.names == [MINE]

        rig.known.view = rig.known.seen(ALONE)
        rig.clock.advance(2.0)

        rig.ended()
        assert journal.names == [MINE, MINE]
        assert [obj.metadata.name for obj in rig.client.written] == ["made"]


def test_shd_06_a_key_that_moves_just_as_it_is_handed_out_is_told_at_once() -> None:
    journal = Journal(lambda ctx: ctx.sleep(60.0))
    with Sharded(journal, ALONE) as rig:
        began = rig.controller._jobs.began

        def moves_just_before(ctx: Any) -> Any:
            rig.known.view = rig.known.seen(BOTH)  # and the sweep has been here already
            return began(ctx)

        rig.controller._jobs.began = moves_just_before  # type: ignore[method-assign]
        rig.create(THEIRS)

        rig.ended(outcome="error")
        assert journal.contexts[0].stop.is_set()


def test_shd_04_a_deletion_that_nobody_came_to_is_seen_to_by_the_next() -> None:
    journal = Journal()
    with Sharded(journal) as rig:
        obj = config_map(THEIRS)
        assert rig.source.started.wait(LONG)
        rig.source.tell(DeleteEvent(obj))
        rig.create(MINE)
        rig.ended()
        assert journal.names == [MINE]

        rig.see(ALONE)

        journal.wait_for(MINE, THEIRS)


def test_shd_04_keys_of_no_kind_are_put_aside() -> None:
    journal = Journal()
    with Sharded(journal, kind=None) as rig:
        names = [f"k{n}" for n in range(20)]
        for name in names:
            rig.controller.enqueue(Request("", name))
        mine = [name for name in names if BOTH.owner(f"/rig//{name}") == "me"]
        journal.wait_for(*mine)
        assert 0 < len(mine) < 20

        rig.see(ALONE)

        journal.wait_for(*names)
        assert rig.gate.debug_state() == {"keys": {}, "aside": 0}


@pytest.mark.parametrize("kind", [None, ConfigMap])
def test_shd_04_what_comes_just_as_it_is_put_aside_is_not_forgotten(kind: Any) -> None:
    journal = Journal()
    with Sharded(journal, kind=kind) as rig:
        leave = rig.gate.leave

        def comes_just_before(request: Request) -> None:
            rig.see(ALONE)
            leave(request)

        rig.gate.leave = comes_just_before  # type: ignore[method-assign]
        names = [f"k{n}" for n in range(99)]
        key = "/rig//{}" if kind is None else "/ConfigMap//{}"
        theirs = next(name for name in names if BOTH.owner(key.format(name)) == "other")
        rig.controller.enqueue(theirs)

        journal.wait_for(theirs)
        assert rig.gate.debug_state()["aside"] == 0


def owned(name: str, owner: str) -> ConfigMap:
    ref = OwnerReference(api_version="apps/v1", kind="Deployment", name=owner, uid="1", controller=True)
    return config_map(name, owner_references=[ref])


@pytest.mark.parametrize("kind", [ConfigMap, "by its group and kind"])
def test_shd_02_what_is_controlled_goes_with_its_owner_also_once_it_is_gone(kind: Any) -> None:
    journal = Journal()
    my_owner = next(f"d{n}" for n in range(99) if BOTH.owner(f"apps/Deployment/default/d{n}") == "me")
    kind = ConfigMap if kind is ConfigMap else ("", "v1", "ConfigMap")
    with Sharded(journal, controlled=[kind, Deployment]) as rig:
        assert rig.source.started.wait(LONG)
        obj = owned(THEIRS, my_owner)
        rig.cache.put(obj)
        rig.source.tell(CreateEvent(obj))
        journal.wait_for(THEIRS)
        rig.ended()

        rig.cache.objects.clear()
        rig.source.tell(DeleteEvent(obj))

        journal.wait_for(THEIRS, THEIRS)
        rig.ended(times=2)
        rig.source.tell(DeleteEvent(config_map("c-other")))  # without an owner it goes by its own key
        assert rig.gate._keys.of(Request("default", "c-other")) == "/ConfigMap/default/c-other"


def test_shd_04_and_06_a_daemon_ends_where_its_object_goes_and_begins_where_it_comes() -> None:
    journal = Journal(lambda ctx: ctx.stop.wait(LONG) and None)
    members = Members([], lambda old, new: False)
    rig: Sharded

    def tend(request: Request, ctx: Context[Any]) -> Any:
        return daemons(request, ctx)

    rig = Sharded(tend, ALONE)
    daemons = Daemons("rig", journal, ConfigMap, members, Terms(), rig.clock)
    attach(rig.controller, daemons)
    with rig:
        rig.create(THEIRS)
        journal.wait_for(THEIRS)
        first = journal.contexts[0]

        rig.see(BOTH)

        assert first.stop.wait(LONG)
        with pytest.raises(KeyMoved):
            first.client.create(config_map("made"))
        rig.see(ALONE)
        journal.wait_for(THEIRS, THEIRS)
        assert not journal.contexts[1].stop.is_set()


def test_shd_04_it_says_how_many_keys_are_whose() -> None:
    with Sharded(Journal()) as rig:
        rig.create(MINE)
        rig.create(THEIRS)
        rig.ended()

        assert rig.gate.debug_state() == {"keys": {"me": 1, "other": 1}, "aside": 0}
        assert rig.gate.count() is rig.gate.count()  # counted once in a while
        rig.cache.put(config_map("one-more"))
        rig.clock.advance(10.0)
        assert sum(rig.gate.count().values()) == 3


def test_shd_06_an_update_of_what_is_anothers_and_not_cached_is_asked_about_when_handed_out() -> None:
    journal = Journal()
    with Sharded(journal) as rig:
        assert rig.source.started.wait(LONG)
        obj = config_map(THEIRS)
        rig.source.tell(UpdateEvent(obj, obj))
        rig.create(MINE)
        rig.ended()

        assert journal.names == [MINE]
        assert rig.gate.debug_state()["aside"] == 1


def test_shd_04_keys_that_come_while_the_cache_is_not_filled_are_looked_at_later() -> None:
    journal = Journal()
    with Sharded(journal) as rig:
        rig.create(THEIRS)
        rig.create(MINE)
        rig.ended()
        listed = rig.cache.list

        def not_yet(kind: Any, **options: Any) -> Any:
            raise WaitTimeout("the cache is not filled")

        rig.cache.list = not_yet  # type: ignore[method-assign]
        rig.see(ALONE)
        assert rig.gate.count() == {}
        rig.cache.list = listed  # type: ignore[method-assign]
        assert journal.names == [MINE]

        rig.gate.seen(rig.known.view)  # at the next look

        journal.wait_for(MINE, MINE, THEIRS)
        rig.gate.seen(rig.known.view)
        assert rig.controller.queue_snapshot() == []


def test_shd_04_a_filter_that_raises_does_not_keep_a_shard_from_looking(caplog: pytest.LogCaptureFixture) -> None:
    with Sharded(Journal()) as rig:
        rig.create(MINE)
        rig.ended()

        def bad(obj: Any) -> bool:
            raise ZeroDivisionError("in a filter")

        rig.controller.only(bad)
        rig.see(ALONE)

        assert "keys that have moved could not be looked at" in caplog.text
