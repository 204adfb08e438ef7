"""Handlers of single changes, in managers, over HTTP. Contract: DEC-03."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from k8srt.api.core.v1 import ConfigMap
from k8srt.api.rbac.v1 import ClusterRole
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.controller import Change, Context, Manager, Registry
from k8srt.kubernetes import Clientset
from k8srt.testing import eventually
from k8srt.testing.choosing import Server
from tests.integration.test_controllers_docs import snippets_of

LONG = 20.0
MINE: dict[str, Any] = {"labels": {"changes": "yes"}}


@pytest.fixture(scope="module")
def server(module_server: Server) -> Server:
    return module_server


class Told:
    """What handlers were told, in order."""

    def __init__(self) -> None:
        self._cond = threading.Condition()
        self._told: list[tuple[Any, ...]] = []

    def add(self, *what: Any) -> None:
        with self._cond:
            self._told.append(what)
            self._cond.notify_all()

    def take(self, count: int) -> list[tuple[Any, ...]]:
        """Wait for so many, and forget them."""
        with self._cond:
            assert self._cond.wait_for(lambda: len(self._told) >= count, LONG), self._told
            told, self._told = self._told, []
            return told


def registered(told: Told, **first: Any) -> Registry:
    registry = Registry()

    @registry.on.create(ConfigMap, **MINE, **first)
    def created(obj: ConfigMap, ctx: Context) -> None:
        told.add("created", obj.metadata.name)

    @registry.on.update(ConfigMap, **MINE)
    def updated(obj: ConfigMap, ctx: Context, change: Change) -> None:
        told.add("updated", *(str(each) for each in change.diff))

    @registry.on.field(ConfigMap, "data.k", **MINE)
    def k(obj: ConfigMap, ctx: Context, change: Change) -> None:
        told.add("k", change.old, change.new)

    return registry


def config_map(name: str, **data: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name, labels={"changes": "yes"}), data=data)


def test_dec_03_what_was_missed_while_nobody_ran_is_found(server: Server, cs: Clientset, namespace: str) -> None:
    told, maps = Told(), cs.core_v1.config_maps(namespace)
    registry = registered(told, domain="example.com", name="kept", workers=2)

    @registry.on.delete(ConfigMap, **MINE)
    def deleted(obj: ConfigMap, ctx: Context) -> None:
        told.add("deleted", obj.data["k"])

    manager = Manager(server.config, namespace=namespace)
    manager.include(registry)
    with manager:
        maps.create(config_map("a", k="1"))
        assert told.take(2) == [("created", "a"), ("k", None, "1")]
        eventually(lambda: "example.com/last-handled.kept" in (maps.get("a").metadata.annotations or {}), timeout=LONG)

    maps.patch("a", {"data": {"k": "2"}}, patch_type="merge")
    maps.patch("a", {"data": {"k": "3"}}, patch_type="merge")
    again = Manager(server.config, namespace=namespace)
    again.include(registry)
    with again:
        assert told.take(2) == [("updated", "data.k: '1' -> '3'"), ("k", "1", "3")]
        maps.delete("a")
        assert told.take(1) == [("deleted", "3")]
        maps.wait("a", "delete", timeout=LONG)


def test_dec_03_in_memory_a_start_begins_anew_and_nothing_is_written(
    server: Server, cs: Clientset, namespace: str
) -> None:
    told, maps = Told(), cs.core_v1.config_maps(namespace)
    registry = registered(told, name="forgetful")
    version = maps.create(config_map("a", k="1")).metadata.resource_version

    for _ in range(2):
        manager = Manager(server.config, namespace=namespace)
        manager.include(registry)
        with manager:
            assert told.take(2) == [("created", "a"), ("k", None, "1")]

    assert maps.get("a").metadata.resource_version == version


def test_dec_03_what_does_not_fit_is_refused(server: Server) -> None:
    manager = Manager(server.config)
    try:
        manager.on.create(ConfigMap, name="refused", workers=2)(lambda obj, ctx: None)
        for wrong in (
            lambda: manager.on.update(ConfigMap, workers=3)(lambda obj, ctx: None),
            lambda: manager.on.update(ConfigMap, domain="example.com")(lambda obj, ctx: None),
            lambda: manager.on.delete(ConfigMap)(lambda obj, ctx: None),
            lambda: manager.on.delete(ClusterRole)(lambda obj, ctx: None),
            lambda: manager.on.create(ClusterRole, keep="annotation")(lambda obj, ctx: None),
            lambda: manager.on.create(ClusterRole, keep="nowhere")(lambda obj, ctx: None),
            lambda: manager.on.create(ClusterRole, run_in="process")(lambda obj, ctx: None),
            lambda: manager.on.field(ConfigMap, "")(lambda obj, ctx: None),
            lambda: manager.on.field(ConfigMap, "data..k")(lambda obj, ctx: None),
        ):
            with pytest.raises(ValueError):
                wrong()
        with pytest.raises(TypeError):
            manager.on.create(ClusterRole)(3)  # type: ignore[type-var]
        with pytest.raises(AttributeError, match="create, update, delete, field"):
            Registry().on.resume(ConfigMap)  # type: ignore[attr-defined]
        assert "refused" in {each.name for each in manager.controllers}
        assert "field" in dir(Registry().on)
    finally:
        manager.stop()


def test_dec_03_the_rights_it_takes_are_known(server: Server) -> None:
    manager = Manager(server.config)
    try:
        manager.on.create(ConfigMap, name="frugal", domain="example.com", uses=[(ClusterRole, "get")])(
            lambda obj, ctx: None
        )
        (controller,) = manager.controllers
        before = {rule["resources"][0]: rule["verbs"] for rule in controller.description.rules()}
        manager.on.delete(ConfigMap)(lambda obj, ctx: None)
        after = {rule["resources"][0]: rule["verbs"] for rule in controller.description.rules()}
    finally:
        manager.stop()

    assert set(before["configmaps"]) == {"list", "watch", "patch"}
    assert before["clusterroles"] == ["get"]
    assert set(after["configmaps"]) == {"get", "list", "watch", "patch"}


def test_dec_03_the_page_does_what_it_says(server: Server, cs: Clientset, namespace: str) -> None:
    (code,) = snippets_of("Handlers of single changes")
    maps = cs.core_v1.config_maps(namespace)
    names: dict[str, Any] = {"mgr": Manager(server.config, namespace=namespace)}
    exec(compile(code, str(Path("docs/controllers.md")), "exec"), names)

    with names["mgr"]:
        maps.create(ConfigMap(metadata=ObjectMeta(name="a", labels={"greet": "yes"}), data={"size": "1"}))
        eventually(lambda: names["seen"] == ["hello a", "size None -> 1"], timeout=LONG)
        maps.patch("a", {"data": {"size": "2"}}, patch_type="merge")
        eventually(lambda: names["seen"][2:] == ["data.size: '1' -> '2'", "size 1 -> 2"], timeout=LONG)
        maps.delete("a")
        maps.wait("a", "delete", timeout=LONG)
        assert names["seen"][4:] == ["goodbye a"]
