"""Candidates that are slow, stopped, killed and cut off at any moment: at no moment can two be sure to lead.

What is tried is what one attempt does, with others' attempts and any amount of time between its calls, or instead of
them. No threads: the world turns the clocks, which show different times and run at the same speed.
"""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest

from k8srt.errors import AlreadyExists, Conflict, NotFound, TransportError
from k8srt.testing import FakeClock
from k8srt.tools.leaderelection import LeaderElectionRecord
from k8srt.tools.leaderelection.bids import Bids, Turn
from k8srt.tools.leaderelection.metrics import Figures
from k8srt.tools.leaderelection.observed import Observed
from k8srt.util.threads import Stop

LEASE, RENEW = 15, 10.0
DEEPEST = 3


def status(code: int, reason: str) -> Any:
    return SimpleNamespace(message=reason, reason=reason, code=code, details=None)


class World:
    """One lock, several candidates, and chance."""

    def __init__(self, chance: random.Random, size: int) -> None:
        self.chance = chance
        self.now = 0.0
        self.record: LeaderElectionRecord | None = None
        self.version = 0
        self.terms: list[tuple[int, str]] = []
        self.wrong: list[str] = []
        self.born = 0
        self.deep = 0
        self.candidates = [self.candidate() for _ in range(size)]

    def candidate(self) -> Candidate:
        self.born += 1
        return Candidate(self, f"c{self.born}")

    def meanwhile(self) -> None:
        """What happens between two calls of somebody."""
        self.deep += 1
        while self.deep <= DEEPEST and self.chance.random() < 0.5:
            self.step()
        self.deep -= 1

    def step(self) -> None:
        who = self.chance.randrange(len(self.candidates))
        what = self.chance.random()
        if what < 0.4:
            self.pass_time(self.chance.choice([0.001, 0.5, 2.0, 4.0, 11.0, 14.0, 15.0, 40.0]))
        elif what < 0.9:
            self.candidates[who].attempt()
        elif what < 0.95:
            self.candidates[who].give_up()
        else:
            self.candidates[who] = self.candidate()  # killed, and another started
        self.check()

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        for each in self.candidates:
            each.clock.advance(seconds)

    def check(self) -> None:
        """Note what must not be. It is looked at in the end: an attempt lets no exception out."""
        sure = [each.identity for each in self.candidates if each.sure_until > self.now]
        if len(sure) > 1:
            self.wrong.append(f"{sure} lead at once")


class Candidate:
    """A lock as one candidate sees it, and what it knows."""

    def __init__(self, world: World, identity: str) -> None:
        self.world = world
        self.identity = identity
        self.clock = FakeClock(now=world.chance.uniform(0.0, 1e6))
        self.sure_until = 0.0
        self._seen = 0
        self._busy = False
        self._bids = Bids(
            self, Observed(self.clock), LEASE, coordinated=False, figures=Figures(identity), clock=self.clock
        )

    def _turn(self) -> Turn:
        return Turn(Stop(), self.clock.now() + RENEW, RENEW / 2.0, self.clock)

    def attempt(self) -> None:
        if self._busy:
            return
        self._busy, began = True, self.world.now
        if self._bids.attempt(self._turn()):
            self.sure_until = began + LEASE
        self._busy = False

    def give_up(self) -> None:
        if self._busy:
            return
        self._busy, self.sure_until = True, 0.0
        self._bids.release(self._turn(), lambda: True)
        self._busy = False

    # ---- the lock

    def describe(self) -> str:
        return "default/foo"

    def record_event(self, text: str) -> None:
        """Nothing is recorded in an attempt."""
        self.world.wrong.append(text)

    def get(self, **_: Any) -> tuple[LeaderElectionRecord, bytes]:
        world = self.world
        self._go_there()
        if world.record is None:
            raise NotFound(status(404, "NotFound"))
        record, self._seen = world.record, world.version
        self._come_back()
        return record, record.encode()

    def create(self, record: LeaderElectionRecord, **_: Any) -> None:
        self._go_there()
        if self.world.record is not None:
            raise AlreadyExists(status(409, "AlreadyExists"))
        self._write(record)

    def update(self, record: LeaderElectionRecord, **_: Any) -> None:
        self._go_there()
        if self._seen != self.world.version:
            raise Conflict(status(409, "Conflict"))
        self._write(record)

    def _write(self, record: LeaderElectionRecord) -> None:
        world = self.world
        led = (record.leader_transitions, record.holder_identity)
        if record.holder_identity and led not in world.terms[-1:]:
            world.terms.append(led)
        world.record = record
        world.version += 1
        version = world.version
        self._come_back()
        self._seen = version

    def _go_there(self) -> None:
        self.world.meanwhile()
        if self.world.chance.random() < 0.1:
            raise TransportError("lost on the way there")

    def _come_back(self) -> None:
        self.world.meanwhile()
        if self.world.chance.random() < 0.1:
            raise TransportError("lost on the way back")


@pytest.mark.parametrize("seed", range(8))
def test_le_16_to_20_and_24_and_26_no_two_are_sure_to_lead_at_once_and_each_term_has_one_leader(seed: int) -> None:
    world = World(random.Random(seed), 2 + seed % 3)
    led = set()

    for _ in range(1500):
        world.step()
        led.update(each.identity for each in world.candidates if each.sure_until > world.now)

    assert world.wrong == []
    assert [term for term, _ in world.terms] == sorted({term for term, _ in world.terms})
    assert len(led) > 20  # the world was not dead
