"""Sets of objects that a controller keeps, over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from k8srt import errors
from k8srt.api.core.v1 import ConfigMap, Namespace, Secret
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.controller import Context, Manager
from k8srt.controller.client.applyset import KINDS_ANNOTATION, MEMBER_LABEL, apply_set, set_id
from k8srt.kubernetes import Clientset
from tests.integration import test_controller_objects as objects
from tests.integration.test_controller_objects import Told, config_map, mine

server, made = objects.server, objects.made


def member(kind: type[Any], name: str, namespace: str) -> Any:
    return kind(metadata=ObjectMeta(name=name, namespace=namespace))


def test_apl_06_what_is_no_longer_wanted_goes(cs: Clientset, namespace: str, made: Callable[[Told], Manager]) -> None:
    writes, told = Told(), Told()
    manager = made(writes)

    @manager.controller(ConfigMap, where=mine, name="sets")
    def reconcile(obj: ConfigMap, ctx: Context) -> None:
        wanted = [member({"c": ConfigMap, "s": Secret}[name[0]], name, namespace) for name in obj.data["m"].split()]
        ctx.apply_set("web", wanted)
        told.add(obj.data["m"])

    maps, secrets = cs.core_v1.config_maps(namespace), cs.core_v1.secrets(namespace)
    with manager:
        maps.create(config_map("by-hand"))
        parent = maps.create(config_map("a", m="c1 c2 s1"))
        told.wait_for("c1 c2 s1", 2)  # our own annotation leads to the second
        got = secrets.get("s1")
        assert got.metadata.labels == {MEMBER_LABEL: set_id(parent, "web")}
        assert got.metadata.owner_references[0].uid == parent.metadata.uid
        assert maps.get("a").metadata.annotations == {f"{KINDS_ANNOTATION}web": "ConfigMap.v1,Secret.v1"}
        before = len(writes.all)
        maps.annotate("a", touched="yes")
        told.wait_for("c1 c2 s1", 3)
        assert len(writes.all) == before

        maps.patch("a", {"data": {"m": "c2 c3"}}, patch_type="merge")
        told.wait_for("c2 c3")
        maps.wait("a", lambda obj: obj.metadata.annotations[f"{KINDS_ANNOTATION}web"] == "ConfigMap.v1", timeout=20.0)

    assert {each.metadata.name for each in maps.list()} >= {"a", "by-hand", "c2", "c3"}
    assert "c1" not in {each.metadata.name for each in maps.list()}
    with pytest.raises(errors.NotFound):
        secrets.get("s1")


@pytest.mark.embedded
def test_apl_06_sets_are_named_and_have_an_owner() -> None:
    ctx: Any = SimpleNamespace(home=SimpleNamespace(object_of=lambda request: None), request="shop/a")
    owner = ConfigMap(metadata=ObjectMeta(name="a", namespace="shop", uid="u"))

    with pytest.raises(ValueError, match="not 'Web/1'"):
        apply_set(ctx, "Web/1", [])
    with pytest.raises(ValueError, match="shop/a is not there to own the set"):
        apply_set(ctx, "web", [])
    with pytest.raises(ValueError, match="comes twice"):
        apply_set(ctx, "web", [owner, owner.copy()], owner=owner)
    owner.metadata.annotations = {f"{KINDS_ANNOTATION}web": "nonsense"}
    with pytest.raises(errors.K8srtError, match=r"'nonsense' is no Kind\.version\.group"):
        apply_set(ctx, "web", [], owner=owner)
    assert set_id(owner, "web") != set_id(owner, "other")
    assert set_id(owner, "web") != set_id(Namespace(metadata=ObjectMeta(name="a")), "web")
    assert len(set_id(owner, "web")) <= 63
