"""Controllers that take the place of others, as cells of notebooks do that run once more."""

from __future__ import annotations

import gc
import threading
from typing import Any

import pytest

from k8srt.api.core.v1 import ConfigMap
from k8srt.controller import Context, Controller, Manager, ShutdownTimeout
from k8srt.kubernetes import Clientset
from k8srt.testing.choosing import Server
from k8srt.util.threads import Stop

LONG = 30.0


@pytest.fixture(scope="module")
def server(module_server: Server) -> Server:
    return module_server


class Seen:
    """Names of objects, as they come."""

    def __init__(self) -> None:
        self._cond = threading.Condition()
        self.names: list[str] = []

    def add(self, name: str) -> None:
        with self._cond:
            self.names.append(name)
            self._cond.notify_all()

    def wait_for(self, name: str) -> None:
        with self._cond:
            assert self._cond.wait_for(lambda: name in self.names, LONG), self.names


def cell(manager: Manager, seen: Seen, **options: Any) -> None:
    """What a cell defines."""

    @manager.controller(ConfigMap, labels={"cell": "yes"}, name="cell", **options)
    def reconcile(obj: ConfigMap, ctx: Context) -> None:
        seen.add(obj.metadata.name)


def create(cs: Clientset, namespace: str, name: str) -> None:
    cs.core_v1.config_maps(namespace).create({"metadata": {"name": name, "labels": {"cell": "yes"}}})


def test_thr_10_a_cell_that_runs_again_replaces_its_controller(server: Server, cs: Clientset, namespace: str) -> None:
    first, second = Seen(), Seen()
    manager = Manager(server.config, namespace=namespace)
    cell(manager, first, replace=True)
    (before,) = manager.controllers

    with manager:
        create(cs, namespace, "a")
        first.wait_for("a")
        with pytest.raises(ValueError, match=r"'cell' exists in this process; .* replace it with replace=True"):
            cell(manager, second)

        cell(manager, second, replace=True)

        second.wait_for("a")
        create(cs, namespace, "b")
        second.wait_for("b")
        (after,) = manager.controllers
        assert after is not before
        assert len(manager.debug_state()["controllers"]) == 1
    assert "b" not in first.names


def test_thr_10_before_the_start_it_is_simply_replaced(server: Server, cs: Clientset, namespace: str) -> None:
    first, second = Seen(), Seen()
    manager = Manager(server.config, namespace=namespace)
    cell(manager, first, enable_warmup=True, replace=True)
    cell(manager, second, replace=True)

    with manager:
        create(cs, namespace, "a")
        second.wait_for("a")

    assert first.names == []


def test_thr_10_another_manager_gives_its_controller_up(server: Server, cs: Clientset, namespace: str) -> None:
    first, second = Seen(), Seen()
    with Manager(server.config, namespace=namespace) as old, Manager(server.config, namespace=namespace) as new:
        cell(old, first)
        create(cs, namespace, "a")
        first.wait_for("a")

        cell(new, second, replace=True)

        second.wait_for("a")
        assert old.controllers == []
        assert [each.name for each in new.controllers] == ["cell"]


def test_thr_10_a_manager_that_is_gone_holds_no_name(server: Server, namespace: str) -> None:
    cell(Manager(server.config, namespace=namespace), Seen())
    gc.collect()

    manager = Manager(server.config, namespace=namespace)
    cell(manager, Seen())

    assert [each.name for each in manager.controllers] == ["cell"]
    manager.stop()


def test_thr_10_what_does_not_end_stays(server: Server, cs: Clientset, namespace: str) -> None:
    began, let_go, seen = Stop(), Stop(), Seen()
    with Manager(server.config, namespace=namespace) as manager:

        @manager.controller(ConfigMap, labels={"cell": "yes"}, name="cell")
        def stubborn(obj: ConfigMap, ctx: Context) -> None:
            began.set()
            let_go.wait()

        create(cs, namespace, "a")
        assert began.wait(LONG)
        (controller,) = manager.controllers

        with pytest.raises(ShutdownTimeout, match=r"<Controller cell: .*> did not end within 0.05s"):
            manager.remove(controller, timeout=0.05)

        assert manager.controllers == [controller]
        let_go.set()
        cell(manager, seen, replace=True)
        seen.wait_for("a")
        assert controller not in manager.controllers


def test_thr_10_a_runnable_is_taken_out_of_a_manager(server: Server, namespace: str) -> None:
    ended: list[Stop] = [Stop(), Stop()]

    class Runs:
        def __init__(self, number: int) -> None:
            self._number = number

        def start(self, stop: threading.Event) -> None:
            stop.wait()
            ended[self._number].set()

    one, other = Runs(0), Runs(1)
    with Manager(server.config, namespace=namespace) as manager:
        manager.add(one)
        manager.add(other)

        assert manager.remove(one)
        assert not manager.remove(one)

        assert [each.is_set() for each in ended] == [True, False]
    assert isinstance(manager.controllers, list)
    assert not any(isinstance(each, Controller) for each in manager.controllers)
