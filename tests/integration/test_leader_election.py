"""Several processes, one lease, and everything that may happen to who holds it: no two ever lead at once.

What a hand-over takes is printed, in units of what was configured: `pytest -s`.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from k8srt.testing.choosing import Server
from tests.integration.election import Arena, Cable, Timing

HOUR = 3600.0


@pytest.fixture
def server(own_server: Server) -> Server:
    return own_server


@pytest.fixture
def arena(kubeconfig: Path, namespace: str, tmp_path: Path) -> Iterator[Callable[..., Arena]]:
    made = []

    def make(*timing: float) -> Arena:
        made.append(Arena(tmp_path, kubeconfig, namespace, Timing(*timing)))
        return made[-1]

    yield make
    for each in made:
        each.__exit__()


def report(what: str, seconds: float, arena: Arena) -> None:
    lease, _, retry = arena.timing
    print(f"\n{what}: next leader after {seconds / retry:.1f} retry periods, {seconds / lease:.2f} leases")
    print(f"  {arena.check()}")


def test_le_24_and_usr_18_a_leader_that_is_told_to_stop_hands_over(arena: Callable[..., Arena]) -> None:
    field = arena()
    contenders = [field.contender(name) for name in "ab"]
    first, led = field.leader()
    (second,) = [each for each in contenders if each is not first]
    second.wait_for("sees", f"{first.name}-1")

    told = first.signal(signal.SIGTERM)
    _, leads = field.leader(after=led.about)

    assert first.end() == 0
    assert second.end() == 0
    assert leads.about == led.about + 1
    report("release", leads.at - told, field)


def test_usr_19_le_16_and_17_a_leader_that_is_killed_is_replaced_by_one_whatever_the_clocks_say(
    arena: Callable[..., Arena],
) -> None:
    field = arena()
    for name, skew in (("a", -5 * HOUR), ("b", 0.0), ("c", 5 * HOUR)):  # and they jump
        field.contender(name, skew=skew)
    leader, led = field.leader()
    field.wait(1.5 * field.timing.lease)
    assert {act.term for act in field.journal.read()} == {led.about}

    for _ in range(2):
        killed = leader.kill()
        leader, leads = field.leader(after=led.about)
        assert leads.about == led.about + 1
        report("kill -9", leads.at - killed, field)
        led = leads

    assert leader.end() == 0


def test_le_26_a_leader_that_is_stopped_for_longer_than_its_lease_acts_no_more(arena: Callable[..., Arena]) -> None:
    field = arena()
    for name in "ab":
        field.contender(name)
    first, led = field.leader()

    stopped = first.signal(signal.SIGSTOP)
    second, leads = field.leader(after=led.about)
    woken = first.signal(signal.SIGCONT)
    over = first.wait_for("over")
    first.wait_for("sees", f"{second.name}-1", after=woken)  # its next life

    print(f"\nwoken: over after {(over.at - woken) * 1000:.0f} ms")
    assert second.end() == 0
    field.leader(after=leads.about)  # the one that was stopped, as somebody else
    report("SIGSTOP", leads.at - stopped, field)


def test_usr_18_and_le_13_a_leader_that_is_cut_off_stops_before_another_begins(
    arena: Callable[..., Arena], server: Server
) -> None:
    field = arena(1.0, 0.5, 0.15)
    with Cable(server.url) as one, Cable(server.url) as two:
        cables = {field.contender("a", host=one.url): one, field.contender("b", host=two.url): two}
        first, led = field.leader()

        cut = cables[first].cut()
        over = first.wait_for("over")
        second, leads = field.leader(after=led.about)
        cables[first].mend()
        first.wait_for("sees", f"{second.name}-1", after=leads.at)

        print(f"\ncut off: over after {(over.at - cut) / field.timing.renew:.2f} renew deadlines,", end=" ")
        print(f"{(leads.at - over.at) / field.timing.lease:.2f} leases before the next began")
        report("partition", leads.at - cut, field)
        assert [each.what for each in second.said].count("leads") == 1
