"""Timers and daemons are made of functions, and what cannot work is refused at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import ConfigMap
from k8srt.controller import Manager
from k8srt.controller.timers.making import new_daemon, new_timer
from k8srt.testing import FakeClientset


@pytest.fixture
def manager() -> Iterator[Manager]:
    manager = Manager(FakeClientset())
    yield manager
    manager.stop()


def check_it(obj: Any, ctx: Any) -> None: ...


def test_tmr_01_and_tmr_03_they_are_controllers_named_by_kind_and_function(manager: Manager) -> None:
    timer = new_timer(manager, ConfigMap, check_it, interval=60.0, workers=3)
    daemon = new_daemon(manager, Deployment, check_it)

    assert (timer.name, daemon.name) == ("configmap-check-it", "deployment-check-it")
    assert timer.options.workers == 3
    assert manager.controllers == [timer, daemon]
    assert timer.need_leader_election
    assert daemon.need_leader_election


def test_tmr_03_a_daemon_asks_for_the_rights_to_its_finalizer(manager: Manager) -> None:
    controller = new_daemon(manager, ConfigMap, check_it, finalizer="example.com/x", uses=[(ConfigMap, "patch/status")])

    rules = {rule["resources"][0]: rule["verbs"] for rule in controller.describe()["rules"]}
    assert rules == {"configmaps": ["get", "list", "patch", "watch"], "configmaps/status": ["patch"]}


@pytest.mark.parametrize("make", [new_timer, new_daemon])
def test_tmr_01_and_tmr_03_what_is_no_function_is_refused(manager: Manager, make: Callable[..., Any]) -> None:
    more = {"interval": 1.0} if make is new_timer else {}

    async def later(obj: Any, ctx: Any) -> None: ...

    class Later:
        async def __call__(self, obj: Any, ctx: Any) -> None: ...

    with pytest.raises(TypeError, match="expected a function of"):
        make(manager, ConfigMap, "check", **more)
    for function in (later, Later()):
        with pytest.raises(TypeError, match="is a coroutine function"):
            make(manager, ConfigMap, function, **more)
    with pytest.raises(ValueError, match="run in threads, not in 'process'"):
        make(manager, ConfigMap, check_it, run_in="process", **more)
    with pytest.raises(TypeError, match="wokers"):
        make(manager, ConfigMap, check_it, wokers=2, **more)
    assert manager.controllers == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout": 5.0}, "stop_timeout"),
        ({"max_daemons": 0}, "max_daemons"),
        ({"stop_timeout": float("nan")}, "stop_timeout"),
        ({"finalizer": "x"}, "domain/name"),
    ],
)
def test_tmr_03_options_that_make_no_sense_are_refused(manager: Manager, options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        new_daemon(manager, ConfigMap, check_it, **options)
    assert manager.controllers == []


def test_tmr_01_a_manager_whose_controllers_run_in_processes_has_timers_in_threads() -> None:
    manager = Manager(FakeClientset(), controller_options={"run_in": "process"})

    assert new_timer(manager, ConfigMap, check_it, interval=60.0).options.run_in == "thread"
    manager.stop()
