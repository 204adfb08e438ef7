"""The health check, the figures, and the candidate that the server asks after."""

from __future__ import annotations

import threading

import pytest

from k8srt import errors
from k8srt.api.coordination.v1beta1 import LeaseCandidate
from k8srt.testing import FakeClock
from k8srt.tools.leaderelection import Candidate, LeaderHealthzAdaptor, LeaseNotRenewed, metrics
from k8srt.util.told import Told
from tests.unit.tools.leaderelection.stage import LIMIT, RETRY

# ---- health -------------------------------------------------------------------------------------------------------


def test_le_27_without_an_elector_all_is_well_and_later_it_is_asked():
    class Elector:
        asked = None

        def check(self, tolerance):
            self.asked = tolerance
            raise LeaseNotRenewed("failed election to renew leadership on lease default/foo")

    adaptor, elector = LeaderHealthzAdaptor(20.0), Elector()
    adaptor.check()
    adaptor(object())

    adaptor.set_leader_election(elector)

    with pytest.raises(LeaseNotRenewed):
        adaptor.check()
    with pytest.raises(LeaseNotRenewed):
        adaptor(object())
    assert (adaptor.name, elector.asked) == ("leaderElection", 20.0)


def test_le_27_an_elector_that_renews_is_well(stage):
    adaptor = LeaderHealthzAdaptor(0.0)
    stage.run(watch_dog=adaptor).leading()

    adaptor.check()


# ---- figures ------------------------------------------------------------------------------------------------------


@pytest.fixture
def told(monkeypatch):
    """What a provider is told."""
    monkeypatch.setattr(metrics, "_told", Told())
    calls = []

    class Provider:
        def on(self, name):
            calls.append(("on", name))

        def off(self, name):
            calls.append(("off", name))

        def slowpath_exercised(self, name):
            calls.append(("slow", name))

    assert metrics.set_provider(Provider())
    assert not metrics.set_provider(Provider())
    return calls


def test_le_28_a_leader_is_on_and_off_and_slow(stage, told):
    run = stage.run()
    assert told == [("off", "default/foo")]

    run.leading()
    assert told[1:] == [("on", "default/foo")]
    stage.leases.label("foo", changed="yes")
    stage.clock.advance(RETRY)
    run.asleep(RETRY)
    assert told[2:] == [("slow", "default/foo")]
    run.end()

    assert told[3:] == [("off", "default/foo")]


def test_le_28_the_name_can_be_chosen_and_a_broken_provider_hurts_nobody(stage, told, caplog, monkeypatch):
    stage.run(name="foo-controller").leading()
    assert told == [("off", "foo-controller"), ("on", "foo-controller")]

    monkeypatch.setattr(metrics._told, "provider", object())
    stage.run("b").end()
    assert "reporting off(default/foo) to" in caplog.text


def test_le_28_the_figures_have_the_names_that_dashboards_know():
    assert metrics.MASTER_STATUS == "leader_election_master_status"
    assert metrics.SLOWPATH_TOTAL == "leader_election_slowpath_total"


# ---- candidates ---------------------------------------------------------------------------------------------------


class Standing:
    """A candidate that runs, on a clock of its own, and its object."""

    def __init__(self, stage, **options):
        self._stop = threading.Event()
        self.clock = FakeClock()
        options = {"binary_version": "1.36.0", "emulation_version": "1.35.0", "clock": self.clock, **options}
        self._candidate = Candidate(stage.fake, "default", "foo-1", "foo", **options)
        self._objects = stage.fake.tracker.resource(LeaseCandidate, namespace="default")
        self._future = stage.pool.submit(self._candidate.run, self._stop)

    def spec(self):
        """What it says, once the candidate sleeps."""
        self.clock.wait_for_sleepers(1)
        return self._objects.get("foo-1").spec

    def ping(self):
        """Ask after it."""
        found = self._objects.get("foo-1")
        found.spec.ping_time = self.clock.time()
        self._objects.update(found)

    def renewed(self):
        """Wait until it was renewed just now."""
        now = self.clock.time()
        self._objects.wait("foo-1", lambda each: each.spec.renew_time == now, timeout=LIMIT)

    def end(self):
        self._stop.set()
        self._future.result(timeout=LIMIT)


@pytest.fixture
def standing(stage):
    stage.fake.serve(LeaseCandidate)
    made = []

    def stand(**options):
        made.append(Standing(stage, **options))
        return made[-1]

    yield stand
    for each in made:
        each.end()


def test_le_31_a_candidate_says_what_it_is_and_renews_every_five_minutes(standing):
    candidate = standing()
    first = candidate.clock.time()

    spec = candidate.spec()
    assert (spec.lease_name, spec.binary_version, spec.emulation_version) == ("foo", "1.36.0", "1.35.0")
    assert (spec.strategy, spec.renew_time) == ("OldestEmulationVersion", first)
    for _ in range(2):
        candidate.clock.advance(299.0)
        assert candidate.spec().renew_time == first
        candidate.clock.advance(1.0)
        candidate.renewed()
        first = candidate.spec().renew_time


def test_le_31_a_candidate_answers_a_ping_at_once(standing):
    candidate = standing()

    for _ in range(3):
        candidate.spec()
        candidate.clock.advance(10.0)
        candidate.ping()
        candidate.renewed()


def test_le_31_what_another_release_left_is_brought_up_to_date(standing):
    assert standing(binary_version="1.35.0", emulation_version="").spec().emulation_version is None

    spec = standing().spec()

    assert (spec.binary_version, spec.emulation_version) == ("1.36.0", "1.35.0")


def test_le_31_an_error_is_tried_again_soon(stage, standing, caplog):
    stage.fake.fail("create", LeaseCandidate, errors.InternalError, times=1)
    candidate = standing()
    candidate.clock.wait_for_sleepers(1, by=candidate.clock.now() + 1.2)
    candidate.clock.advance(1.2)

    candidate.clock.wait_for_sleepers(1)
    candidate.renewed()
    assert "lease candidate default/foo-1: renewal failed" in caplog.text


def test_le_31_where_candidates_are_not_served_it_keeps_asking_and_can_be_stopped(stage, caplog):
    candidate = Standing(stage)
    for _ in range(3):
        candidate.clock.wait_for_sleepers(2)
        candidate.clock.advance(60.0 * 1.2)

    candidate.end()

    assert "renewal failed: the server does not serve leasecandidates" in caplog.text
