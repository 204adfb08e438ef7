"""Checks by name, and what everybody may know of them."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from k8srt.controller.health import CheckFailed, Checks, caches_synced, leader_or_standby, not_wedged, watches_fresh
from k8srt.controller.serving.messages import HTTPRequest, HTTPResponse
from k8srt.testing.clock import FakeClock
from k8srt.tools.leaderelection.failures import LeaseNotRenewed

LONG = 20.0


def get(checks: Checks, path: str = "/healthz", query: str = "") -> HTTPResponse:
    return checks.handle(HTTPRequest("GET", path, query))


def bad() -> None:
    raise RuntimeError("the database password is wrong")


@pytest.fixture
def checks() -> Checks:
    checks = Checks("/healthz")
    checks.add("good", lambda: None)
    return checks


def test_hlz_02_all_fine_is_ok(checks: Checks) -> None:
    answer = get(checks)

    assert (answer.code, answer.body) == (200, b"ok")
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_hlz_02_and_04_a_failure_lists_all_without_its_reason(checks: Checks, caplog: pytest.LogCaptureFixture) -> None:
    checks.add("database", bad)

    with caplog.at_level("INFO"):
        answer = get(checks)

    assert answer.code == 500
    assert answer.body.decode().splitlines() == [
        "[-]database failed: reason withheld",
        "[+]good ok",
        "healthz check failed",
    ]
    assert "database password" in caplog.text


def test_hlz_02_checks_can_be_excluded_and_unknown_ones_are_told(checks: Checks) -> None:
    checks.add("database", bad)

    answer = get(checks, query="exclude=database&exclude=nope&verbose")

    assert answer.code == 200
    assert answer.body.decode().splitlines() == [
        "[+]database excluded: ok",
        "[+]good ok",
        'warn: some health checks cannot be excluded: no matches for "nope"',
        "healthz check passed",
    ]
    assert get(checks, query="exclude=database").body == b"ok"


def test_hlz_03_one_check_tells_its_reason(checks: Checks) -> None:
    checks.add("database", bad)

    assert get(checks, "/healthz/good").body == b"ok"
    answer = get(checks, "/healthz/database")
    assert answer.code == 500
    assert b"the database password is wrong" in answer.body
    assert get(checks, "/healthz/nope").code == 404
    assert get(Checks("/readyz"), "/readyz/ping").code == 200
    assert get(Checks("/readyz"), "/readyz", "verbose").body.startswith(b"[+]ping ok")


def test_hlz_06_a_check_that_hangs_fails_alone_and_is_not_begun_again() -> None:
    clock = FakeClock()
    checks = Checks("/healthz", timeout=5.0, clock=clock)
    let_go, begun = threading.Event(), []
    others = threading.Event()

    def hanging() -> None:
        begun.append(1)
        let_go.wait()

    checks.add("hanging", hanging)
    checks.add("other", lambda: others.set())
    answers: list[HTTPResponse] = []

    for expected in (1, 2):
        asking = threading.Thread(target=lambda: answers.append(get(checks, query="verbose")))
        asking.start()
        clock.wait_for_sleepers(1, timeout=LONG)
        assert others.wait(LONG)
        clock.advance(5.0)
        asking.join(LONG)
        assert len(answers) == expected
        others.clear()

    assert [answer.code for answer in answers] == [500, 500]
    assert b"[-]hanging failed" in answers[1].body
    assert b"[+]other ok" in answers[1].body
    assert begun == [1]
    let_go.set()


def test_hlz_03_checks_are_functions_of_a_request_or_of_nothing(checks: Checks) -> None:
    seen: list[HTTPRequest] = []
    checks.add("asks", seen.append)
    checks.add("says-no", lambda: False)

    failures = checks.failures(HTTPRequest("GET", "/healthz", "a=b"))

    assert failures == {"says-no": "the check returned False"}
    assert seen[0].query == "a=b"
    with pytest.raises(ValueError, match="there is a check 'asks' already"):
        checks.add("asks", bad)
    with pytest.raises(ValueError, match="cannot be the name of a check"):
        checks.add("a/b", bad)
    with pytest.raises(TypeError, match="a function of a request"):
        checks.add("two", lambda a, b: None)


def manager(**parts: Any) -> Any:
    return SimpleNamespace(clock=FakeClock(), **parts)


def test_hlz_05_an_election_that_hears_nothing_fails() -> None:
    elector = SimpleNamespace(check=lambda tolerance: None, renew_deadline=10.0, retry_period=2.0, attempted_at=None)
    of = manager(elector=elector)
    check = leader_or_standby(of)

    check()
    elector.attempted_at = of.clock.now()
    of.clock.advance(12.0)
    check()
    of.clock.advance(1.0)
    with pytest.raises(CheckFailed, match="no answer for 13s"):
        check()
    leader_or_standby(manager(elector=None))()


def test_hlz_05_a_leader_that_does_not_renew_fails() -> None:
    def expired(tolerance: float) -> None:
        raise LeaseNotRenewed("failed election to renew leadership")

    with pytest.raises(LeaseNotRenewed):
        leader_or_standby(manager(elector=SimpleNamespace(check=expired)))()


def test_hlz_05_controllers_that_are_wedged_are_named() -> None:
    busy = SimpleNamespace(name="busy", wedged=False, seconds_without_end=lambda: 700.0)
    idle = SimpleNamespace(name="idle", wedged=True, seconds_without_end=lambda: None)
    of = manager(controllers=[busy, idle])

    with pytest.raises(CheckFailed, match=r"any more: idle$"):
        not_wedged(of)()
    with pytest.raises(CheckFailed, match=r"any more: busy$"):
        not_wedged(of, after=600.0)()
    not_wedged(of, after=800.0)()


def test_hlz_05_watches_that_fell_silent_are_named() -> None:
    ages = [("ConfigMap", 700.0), ("Secret", 1.0), ("Pod", None)]
    states = [SimpleNamespace(kind=kind, seconds_since_event=age) for kind, age in ages]
    of = manager(cache=SimpleNamespace(status=lambda: states))

    with pytest.raises(CheckFailed, match=r"nothing heard of ConfigMap \(700s\)$"):
        watches_fresh(of, after=600.0)()
    watches_fresh(of, after=800.0)()


def test_hlz_05_caches_count_once_the_manager_has_started() -> None:
    of = manager(cache=SimpleNamespace(unsynced=lambda: missing), started=False)
    missing: list[str] = []

    with pytest.raises(CheckFailed, match="not started"):
        caches_synced(of)()
    of.started = True
    caches_synced(of)()
    missing.append("Pod")
    with pytest.raises(CheckFailed, match="not synced yet: Pod"):
        caches_synced(of)()
