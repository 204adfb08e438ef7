"""Ensuring and patching, with the requests they cost."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from k8srt import errors
from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.conditions import find_condition, set_condition
from k8srt.apimachinery.meta import Condition, ObjectMeta
from k8srt.apimachinery.schema import NamespacedName
from k8srt.controller.client.applying import Ensured, applicable, ensure, patching
from k8srt.controller.client.client import Client
from k8srt.controller.ownership import AlreadyOwnedError
from k8srt.controller.request import Request
from k8srt.testing import FakeClientset
from k8srt.util.retry import on_conflict
from tests.unit.controller.client.test_writing import Direct, deployment

NAMESPACE = {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "shop"}}


class Cached(Direct):
    """Also applies, and reads from a cache that can lag behind."""

    def __init__(self, *objects: Any) -> None:
        super().__init__(NAMESPACE, *objects)
        self.behind: dict[str, Any] | None = None

    def get_or_none(self, kind: Any, key: NamespacedName) -> Any:
        if self.behind is not None:
            return self.behind.get(key.name)
        try:
            return self.get(kind, key)
        except errors.NotFound:
            return None

    def apply(self, obj: Any, *, field_manager: str, force: bool) -> Any:
        return self.of(type(obj), obj.metadata.namespace).apply(obj, field_manager=field_manager, force=force)


def owner(uid: str = "u1", name: str = "boss") -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name, namespace="shop", uid=uid))


def context(client: Cached, *, owned_by: Any = None, memo: dict[Any, Any] | None = None) -> Any:
    return SimpleNamespace(
        request=Request("shop", "boss"),
        client=client,
        memo={} if memo is None else memo,
        controller="painter",
        home=SimpleNamespace(object_of=lambda request: owned_by),
        log=logging.getLogger("painter"),
    )


def child(**data: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name="child", namespace="shop"), data=data)


def test_apl_02_created_updated_and_unchanged_without_a_request() -> None:
    client = Cached()
    ctx = context(client, owned_by=owner())
    mine = child(a="1")

    assert ensure(ctx, mine) is Ensured.CREATED
    assert mine == child(a="1")
    stored = client.fake.core_v1.config_maps("shop").get("child")
    assert stored.metadata.owner_references[0].name == "boss"
    assert client.writes() == ["patch configmaps shop/child (apply)"]
    assert ensure(ctx, mine) is Ensured.UNCHANGED
    for _ in range(3):
        assert ensure(ctx, child(a="1")) == "unchanged"
    assert client.writes() == []

    assert ensure(ctx, child(b="2")) is Ensured.UPDATED
    assert client.fake.core_v1.config_maps("shop").get("child").data == {"b": "2"}


def test_apl_02_what_somebody_changes_of_ours_is_taken_back_and_nothing_else() -> None:
    client = Cached()
    ctx = context(client, owned_by=owner())
    ensure(ctx, deployment())
    deployments = client.fake.apps_v1.deployments("shop")
    client.writes()

    deployments.annotate("web", theirs="yes")
    status = deployments.get("web")
    status.status.replicas = 1
    deployments.update_status(status)
    client.writes()
    assert ensure(ctx, deployment()) is Ensured.UNCHANGED
    assert client.writes() == []

    deployments.patch("web", {"spec": {"replicas": 9}}, patch_type="merge")
    assert ensure(ctx, deployment()) is Ensured.UPDATED
    got = deployments.get("web")
    assert (got.spec.replicas, got.metadata.annotations) == (1, {"theirs": "yes"})


def test_apl_02_a_new_process_asks_the_cache_first() -> None:
    client = Cached()
    ensure(context(client, owned_by=owner()), child(a="1"))
    client.writes()

    assert ensure(context(client, owned_by=owner()), child(a="1")) is Ensured.UNCHANGED
    assert client.writes() == []
    assert ensure(context(client, owned_by=owner()), child()) is Ensured.UPDATED


def test_apl_02_values_that_the_server_writes_otherwise_cost_nothing_either() -> None:
    client = Cached()
    ctx = context(client, owned_by=owner())
    wanted = deployment()
    wanted.spec.template.spec.containers[0].resources.requests = {"cpu": "1000m"}
    ensure(ctx, wanted)
    client.fake.apps_v1.deployments("shop").annotate("web", theirs="yes")
    client.writes()
    again = deployment()
    again.spec.template.spec.containers[0].resources.requests = {"cpu": "1000m"}

    assert ensure(ctx, again) is Ensured.UNCHANGED
    assert client.writes() == []


def test_apl_02_a_cache_that_lags_behind_is_no_reason_to_write() -> None:
    client = Cached()
    ctx = context(client, owned_by=owner())
    ensure(ctx, child(a="1"))
    client.behind = {"child": client.fake.core_v1.config_maps("shop").get("child")}
    assert ensure(ctx, child(a="2")) is Ensured.UPDATED
    client.writes()

    assert ensure(ctx, child(a="2")) is Ensured.UNCHANGED
    assert client.writes() == []
    client.behind = {}
    assert ensure(ctx, child(a="2")) is Ensured.UNCHANGED


def test_apl_02_caches_without_managed_fields() -> None:
    client = Cached()
    ctx = context(client, owned_by=owner())
    ensure(ctx, child(a="1"))
    maps = client.fake.core_v1.config_maps("shop")
    maps.patch("child", {"data": {"a": "theirs"}}, patch_type="merge")
    stripped = maps.get("child")
    stripped.metadata.managed_fields = None
    client.behind = {"child": stripped}

    assert ensure(ctx, child(a="1")) is Ensured.UPDATED


def test_apl_02_owners() -> None:
    client = Cached()

    with pytest.raises(ValueError, match=r"shop/boss is not there to own it; give owner=, or owned=False"):
        ensure(context(client), child())
    with pytest.raises(ValueError, match="it has no name"):
        ensure(context(client), ConfigMap(), owned=False)
    assert ensure(context(client), child(), owned=False) is Ensured.CREATED
    taken = child()
    taken.metadata.owner_references = client.get(ConfigMap, NamespacedName("shop", "child")).metadata.owner_references
    assert not taken.metadata.owner_references
    ensure(context(client), child(), owner=owner())
    other = client.get(ConfigMap, NamespacedName("shop", "child"))
    with pytest.raises(AlreadyOwnedError):
        ensure(context(client), other, owner=owner("u2", "rival"))


def test_apl_03_what_changed_is_sent_and_no_more() -> None:
    client = Cached(deployment())
    ctx = context(client)
    got = client.get(Deployment, NamespacedName("shop", "web"))
    client.writes()

    with patching(ctx, got) as same:
        assert same is got
        got.metadata.labels = {}
    assert client.writes() == []

    with patching(ctx, got):
        got.spec.replicas = 4
        got.status.replicas = 2
    assert client.writes() == [
        "patch deployments.apps shop/web (merge)",
        "patch deployments.apps/status shop/web (merge)",
    ]
    stored = client.get(Deployment, NamespacedName("shop", "web"))
    assert (stored.spec.replicas, stored.status.replicas) == (4, 2)
    assert got == stored


def change_and_fail(client: Cached, **options: Any) -> None:
    got = client.get(Deployment, NamespacedName("shop", "web"))
    with patching(context(client), got, **options):
        got.spec.replicas = 4
        got.status.replicas = 2
        raise RuntimeError("no")


def test_apl_03_a_block_that_raises() -> None:
    client = Cached(deployment())
    client.writes()

    with pytest.raises(RuntimeError, match="no"):
        change_and_fail(client)
    assert [line for line in client.writes() if line.startswith("patch")] == []
    with pytest.raises(RuntimeError, match="no"):
        change_and_fail(client, always_status=True)
    stored = client.get(Deployment, NamespacedName("shop", "web"))
    assert (stored.spec.replicas, stored.status.replicas) == (1, 2)


def test_apl_03_a_failure_hides_no_other(caplog: pytest.LogCaptureFixture) -> None:
    client = Cached(deployment())
    client.fake.fail("patch", "deployments", error=errors.Forbidden)

    with pytest.raises(RuntimeError, match="no"):
        change_and_fail(client, always_status=True)

    assert "its status could not be written after a failure" in caplog.text


def test_apl_03_a_lock_that_others_break() -> None:
    client = Cached(deployment())
    key = NamespacedName("shop", "web")
    got, stale = client.get(Deployment, key), client.get(Deployment, key)

    with patching(context(client), got, optimistic_lock=True):
        got.spec.replicas = 4
        got.status.replicas = 2

    with pytest.raises(errors.Conflict), patching(context(client), stale, optimistic_lock=True):
        stale.spec.replicas = 5
    assert client.get(Deployment, key).spec.replicas == 4


def test_apl_04_conditions_within_a_patch() -> None:
    conditions: list[Condition] = []

    assert set_condition(conditions, Condition(type="Ready", status="True", reason="Up", message=""))
    assert not set_condition(conditions, Condition(type="Ready", status="True", reason="Up", message=""))
    since = conditions[0].last_transition_time
    assert set_condition(conditions, Condition(type="Ready", status="True", reason="Still", message="x"))
    found = find_condition(conditions, "Ready")
    assert found is not None
    assert (found.reason, found.last_transition_time) == ("Still", since)


def test_apl_05_writes_do_not_retry_but_retrying_is_at_hand() -> None:
    client = Cached(deployment())
    key = NamespacedName("shop", "web")
    stale = client.get(Deployment, key)
    client.fake.apps_v1.deployments("shop").annotate("web", x="y")
    with pytest.raises(errors.Conflict):
        client.update(stale)
    tries: list[int] = []

    def write() -> None:
        tries.append(1)
        at_hand = stale if len(tries) == 1 else client.get(Deployment, key)
        at_hand.spec.replicas = 7
        client.update(at_hand)

    on_conflict(write)

    assert len(tries) == 2
    assert client.get(Deployment, key).spec.replicas == 7


def test_apl_01_what_was_read_can_be_applied() -> None:
    fake = FakeClientset(deployment())
    client = Client(fake, field_manager="painter")
    got = fake.apps_v1.deployments("shop").get("web")
    fake.apps_v1.deployments("shop").annotate("web", x="y")
    got.spec.replicas = 4

    answer = client.apply(got)

    assert (answer.spec.replicas, answer.metadata.annotations) == (4, {"x": "y"})
    assert answer.metadata.managed_fields[0].manager == "painter"
    assert got.metadata.resource_version != answer.metadata.resource_version
    with pytest.raises(errors.Conflict):
        client.apply(got, locked=True)
    assert client.apply(answer, locked=True).metadata.resource_version
    gone = child(a="1")
    gone.metadata.uid = "no such"
    with pytest.raises(errors.Conflict):
        client.apply(gone)
    plain = child(a="1")
    assert applicable(plain) is plain
