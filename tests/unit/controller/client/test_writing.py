"""Creating, updating and patching what should be there."""

from __future__ import annotations

from typing import Any

import pytest

from k8srt import errors
from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.schema import GroupVersionKind, NamespacedName
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.controller.client.writing import Changes, Written, create_or_patch, create_or_update
from k8srt.testing import FakeClientset


class Direct:
    """A client of the runtime that reads from the server."""

    def __init__(self, *objects: Any) -> None:
        self.fake = FakeClientset(*objects)

    def of(self, kind: Any, namespace: str | None) -> Any:
        kind = GroupVersionKind("", "v1", "ConfigMap") if kind is Unstructured else kind
        return self.fake.resource(kind, namespace or "")

    def get(self, kind: Any, key: NamespacedName | str) -> Any:
        assert isinstance(key, NamespacedName)
        return self.of(kind, key.namespace).get(key.name)

    def create(self, obj: Any) -> Any:
        return self.of(type(obj), obj.metadata.namespace).create(obj)

    def update(self, obj: Any) -> Any:
        return self.of(type(obj), obj.metadata.namespace).update(obj)

    def patch(self, obj: Any, patch: Any, *, patch_type: Any, subresource: str = "") -> Any:
        client = self.of(type(obj), obj.metadata.namespace)
        return client.patch(obj.metadata.name, patch, patch_type=patch_type, subresource=subresource)

    def writes(self) -> list[str]:
        found = [line for line in self.fake.actions.lines() if not line.startswith("get ")]
        self.fake.clear_actions()
        return found


def config_map() -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name="a", namespace="shop"))


def deployment() -> Deployment:
    container = {"name": "web", "image": "nginx", "resources": {"requests": {"cpu": "1"}}}
    return Deployment.from_dict(
        {
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}},
            },
        }
    )


def paint(color: str) -> Any:
    def mutate(obj: ConfigMap) -> None:
        obj.data = {**(obj.data or {}), "color": color}

    return mutate


@pytest.mark.parametrize("write", [create_or_update, create_or_patch])
def test_cut_05_and_06_created_unchanged_updated(write: Any) -> None:
    client = Direct({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "shop"}})
    mine = config_map()

    assert write(client, mine, paint("red")) == "created"
    assert mine.metadata.uid
    assert client.writes() == ["create configmaps shop/a"]

    assert write(client, config_map(), paint("red")) is Written.UNCHANGED
    assert client.writes() == []

    mine = config_map()
    assert write(client, mine, paint("blue")) is Written.UPDATED
    assert mine.data == {"color": "blue"}
    assert len(client.writes()) == 1


def test_cut_05_equal_is_what_means_the_same() -> None:
    client = Direct(deployment())

    def mutate(obj: Deployment) -> None:
        requests = obj.spec.template.spec.containers[0].resources.requests
        assert requests is not None
        requests["cpu"] = "1000m"
        obj.metadata.labels = {}
        obj.spec.template.spec.tolerations = []

    assert create_or_update(client, deployment(), mutate) is Written.UNCHANGED
    assert create_or_patch(client, deployment(), mutate) is Written.UNCHANGED


def test_cut_05_the_status_is_not_written() -> None:
    client = Direct(deployment())

    def mutate(obj: Deployment) -> None:
        obj.status.replicas = 5

    assert create_or_update(client, deployment(), mutate) is Written.UNCHANGED


def test_cut_05_names_stay_and_errors_are_raised() -> None:
    client = Direct(config_map())

    def rename(obj: ConfigMap) -> None:
        obj.metadata.name = "b"

    for write in (create_or_update, create_or_patch):
        with pytest.raises(ValueError, match=r"must not change name or namespace: shop/a became .*shop/b"):
            write(client, config_map(), rename)
        with pytest.raises(ValueError, match="no name"):
            write(client, ConfigMap(), rename)
    assert client.writes() == []
    client.fake.fail("get", "configmaps", error=errors.Forbidden)
    with pytest.raises(errors.Forbidden):
        create_or_update(client, config_map(), paint("red"))


def test_cut_06_the_body_and_then_the_status() -> None:
    client = Direct(deployment())

    def both(obj: Deployment) -> None:
        obj.spec.replicas = 3
        obj.status.replicas = 3
        obj.status.ready_replicas = 2

    def status_alone(obj: Deployment) -> None:
        obj.status.ready_replicas = 3

    mine = deployment()
    assert create_or_patch(client, mine, both) is Written.UPDATED_STATUS
    assert (mine.spec.replicas, mine.status.ready_replicas) == (3, 2)
    body, status = "patch deployments.apps shop/web (merge)", "patch deployments.apps/status shop/web (merge)"
    assert client.writes() == [body, status]
    assert create_or_patch(client, mine, status_alone) is Written.UPDATED_STATUS_ONLY
    assert client.writes() == [status]
    assert client.get(Deployment, NamespacedName("shop", "web")).status.ready_replicas == 3


def test_cut_06_no_status_on_creation() -> None:
    client = Direct({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "shop"}})

    def mutate(obj: Deployment) -> None:
        obj.status.replicas = 5

    assert create_or_patch(client, deployment(), mutate) is Written.CREATED
    assert client.writes() == ["create deployments.apps shop/web"]
    assert client.get(Deployment, NamespacedName("shop", "web")).status.replicas is None


def test_cut_05_objects_without_a_model() -> None:
    plain = Unstructured({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "shop"}})
    plain["data"] = {"a": "1"}
    changed = plain.copy()
    changed["data"]["a"] = "2"

    assert Changes.between(plain, changed).body == {"data": {"a": "2"}}
    assert not Changes.between(plain, plain.copy())


@pytest.mark.parametrize("write", [create_or_update, create_or_patch])
def test_cut_07_what_keeps_changing_is_told(write: Any, caplog: pytest.LogCaptureFixture) -> None:
    client = Direct(deployment())

    def forgetful(obj: Deployment) -> None:
        obj.spec.revision_history_limit = None
        obj.spec.template.spec.containers[0].termination_message_path = None

    for _ in range(2):
        assert write(client, deployment(), forgetful) is Written.UPDATED
    assert caplog.messages == []

    assert write(client, deployment(), forgetful) is Written.UPDATED

    (message,) = caplog.messages
    assert "Deployment shop/web was written 3 times" in message
    assert "spec.revisionHistoryLimit, spec.template.spec.containers[0].terminationMessagePath" in message
    assert "ctx.ensure" in message
    assert write(client, deployment(), lambda obj: None) is Written.UNCHANGED
