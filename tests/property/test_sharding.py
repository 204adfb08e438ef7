"""The ring, and shards that come, go, stall, crash and are cut off at any moment: no key is ever in two hands.

What is tried is what one renewal and one look do, with those of others and any amount of time between their calls. No
threads: the world turns the clocks, which show different times and run at the same speed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8srt.controller import Ring
from k8srt.controller.sharding.hashring import HashRing
from k8srt.controller.sharding.membership import Membership
from k8srt.controller.sharding.ring import LABEL
from k8srt.errors import K8srtError, TransportError
from k8srt.testing import FakeClock
from k8srt.testing.fake import FakeClientset
from k8srt.tools.leaderelection import LeaseLock
from k8srt.tools.leaderelection.bids import Bids, Turn
from k8srt.tools.leaderelection.metrics import Figures
from k8srt.tools.leaderelection.observed import Observed
from k8srt.util.threads import Stop

LEASE, RENEW, RETRY = 15.0, 10.0, 2.0
DEEPEST = 2
KEYS = [f"apps/Deployment/default/d{n}" for n in range(40)]
names = st.text("abcdefghijklmnopqrstuvwxyz0123456789-.", min_size=1, max_size=30)


@given(st.sets(names, max_size=8), names, st.lists(st.text(), max_size=30))
@settings(max_examples=60, deadline=None)
def test_shd_02_and_07_a_shard_that_comes_takes_keys_and_moves_none_between_the_others(
    shards: set[str], another: str, keys: list[str]
) -> None:
    before, after = HashRing(shards - {another}), HashRing(shards | {another})

    for key in keys:
        assert after.owner(key) in (before.owner(key), another)
        assert after.owner(key) in after.shards


@given(st.sets(names, min_size=2, max_size=6), st.data(), st.text())
@settings(max_examples=60, deadline=None)
def test_shd_06_two_that_know_each_other_never_both_take_a_key(shards: set[str], data: Any, key: str) -> None:
    one, other, *_ = sorted(shards)
    known = st.sets(st.sampled_from(sorted(shards)))
    seen_by_one, seen_by_other = (data.draw(known) | {one, other} for _ in range(2))

    assert (HashRing(seen_by_one).owner(key), HashRing(seen_by_other).owner(key)) != (one, other)


class World:
    """One ring, several processes, and chance."""

    def __init__(self, chance: random.Random, size: int) -> None:
        self.chance = chance
        self.cs = FakeClientset()
        self.now = 0.0
        self.born = 0
        self.deep = 0
        self.calm = False
        self.wrong: list[str] = []
        self.acted: set[tuple[int, str]] = set()
        self.processes = [self.process() for _ in range(size)]

    def process(self) -> Process:
        self.born += 1
        return Process(self, self.born, f"foo-{self.chance.randrange(5)}")

    def meanwhile(self) -> None:
        """What happens between two calls of somebody."""
        self.deep += 1
        while not self.calm and self.deep <= DEEPEST and self.chance.random() < 0.4:
            self.step()
        self.deep -= 1

    def step(self) -> None:
        who = self.chance.randrange(len(self.processes))
        what = self.chance.random()
        if what < 0.3:
            long = self.chance.random() < 0.02
            self.pass_time(self.chance.choice([9.0, 14.0, 31.0, 70.0] if long else [0.001, 0.2, 0.5, 1.0, 2.0]))
        elif what < 0.985 and not self.processes[who].over:
            self.processes[who].go_on()
        elif what < 0.99:
            self.processes[who].leave()
        elif what > 0.995 or self.processes[who].over:
            self.processes[who] = self.process()  # killed, and another started
        self.check()

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        for each in self.processes:
            each.clock.advance(seconds)

    def hands(self, key: str) -> list[int]:
        return [each.number for each in self.processes if each.may_act(key)]

    def check(self) -> None:
        """Note what must not be. It is looked at in the end: a look lets no exception out."""
        for key in KEYS:
            hands = self.hands(key)
            self.acted.update((number, key) for number in hands)
            if len(hands) > 1:
                self.wrong.append(f"{key} is in the hands of {hands} at {self.now}")


class Process:
    """A replica: what its elector does to its lease, and its looks at the others'."""

    def __init__(self, world: World, number: int, name: str) -> None:
        self.world = world
        self.number = number
        self.clock = FakeClock(now=world.chance.uniform(0.0, 1e6))
        self.over = False
        self.leads = False
        self.busy = False
        self.sure_until = 0.0
        self.blind_until = 0.0
        holder = f"{name}_{number}"
        ring = Ring("foo", "default", name, lease_duration=LEASE, renew_deadline=RENEW, retry_period=RETRY)
        lock = OnTheWay(LeaseLock(world.cs, "default", name, holder, labels={LABEL: "foo"}), world)
        self.bids = Bids(
            *(lock, Observed(self.clock), LEASE), coordinated=False, figures=Figures(holder), clock=self.clock
        )
        leases: Any = OnTheWay(world.cs.coordination_v1.leases("default"), world)
        self.membership = Membership(ring, name, holder, leases, sure=lambda: self.sure, clock=self.clock)

    @property
    def sure(self) -> bool:
        return not self.over and self.leads and self.clock.now() < self.sure_until

    def may_act(self, key: str) -> bool:
        return self.membership.seconds_until_mine(key) == 0.0

    def go_on(self) -> None:
        """Renew or look, unless it is at that already, as a program does that may be stopped anywhere."""
        if self.busy or self.over:
            return
        self.busy = True
        if not self.leads or self.world.chance.random() < 0.5:
            self.attempt()
        else:
            self.look()
        self.busy = False

    def attempt(self) -> None:
        began = self.clock.now()
        if self.leads and began >= self.sure_until:
            self.over = True  # the election is lost, and the program ends
        elif self.bids.attempt(self._turn()) and self.clock.now() < self._until(began):
            self.leads, self.sure_until = True, began + LEASE

    def _until(self, began: float) -> float:
        return min(began + RENEW, self.sure_until) if self.leads else began + RENEW

    def look(self) -> None:
        if self.world.chance.random() < 0.03:
            self.blind_until = self.clock.now() + 40.0
        if self.clock.now() < self.blind_until and not self.world.calm:
            return  # its lists fail, though it can renew
        try:
            self.membership.look()
        except K8srtError:
            pass

    def leave(self) -> None:
        """All reconciles have ended; then the lease is given back."""
        if self.busy or self.over:
            return
        self.over = True
        if self.leads:
            self.bids.release(self._turn(), lambda: True)

    def _turn(self) -> Turn:
        return Turn(Stop(), self.clock.now() + RENEW, RENEW / 2.0, self.clock)


class OnTheWay:
    """A client whose calls take time, and sometimes are lost on the way there or back."""

    def __init__(self, what: Any, world: World) -> None:
        self._what = what
        self._world = world

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._what, name)
        return self._late(found) if name in ("get", "list", "create", "update", "delete") else found

    def _late(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def late(*args: Any, **options: Any) -> Any:
            self._pass("there")
            answer = call(*args, **{**options, "stop": None, "timeout": None})
            self._pass("back")
            return answer

        return late

    def _pass(self, way: str) -> None:
        self._world.meanwhile()
        if not self._world.calm and self._world.chance.random() < 0.08:
            raise TransportError(f"lost on the way {way}")


@pytest.fixture
def worlds() -> Iterator[Callable[[int], World]]:
    made: list[World] = []

    def make(seed: int) -> World:
        made.append(World(random.Random(seed), 3 + seed % 3))
        return made[-1]

    yield make
    for world in made:
        world.cs.close()


@pytest.mark.parametrize("seed", range(6))
def test_shd_04_and_06_no_key_is_in_two_hands_and_in_peace_each_is_in_one(
    worlds: Callable[[int], World], seed: int
) -> None:
    world = worlds(seed)

    for _ in range(1500):
        world.step()

    assert world.wrong == []
    assert len({number for number, _ in world.acted}) > 3  # the world was not dead

    world.calm = True
    for _ in range(60):  # two minutes in which nothing happens
        for each in world.processes:
            if not each.over:
                each.attempt()
                each.look()
        world.pass_time(RETRY)
        world.check()

    assert world.wrong == []
    if any(each.sure for each in world.processes):
        assert [len(world.hands(key)) for key in KEYS] == [1] * len(KEYS)
