"""Who owns which fields, over HTTP: extracting what was applied, applying it again, moving to server-side apply."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from k8srt import errors
from k8srt.api.core.v1 import Service
from k8srt.apimachinery.csaupgrade import LAST_APPLIED, upgrade_managed_fields_patch
from k8srt.apimachinery.managedfields import extract_apply
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.schema import GroupVersionResource
from k8srt.dynamic import DynamicClient
from k8srt.kubernetes import Clientset
from k8srt.testing.choosing import Server

CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "boats.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "boats", "kind": "Boat"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "properties": {
                                    "crew": {
                                        "type": "array",
                                        "x-kubernetes-list-type": "map",
                                        "x-kubernetes-list-map-keys": ["name", "role"],
                                        "items": {
                                            "type": "object",
                                            "required": ["name"],
                                            "properties": {
                                                "name": {"type": "string"},
                                                "role": {"type": "string", "default": "sailor"},
                                                "age": {"type": "integer"},
                                                "skills": {
                                                    "type": "array",
                                                    "x-kubernetes-list-type": "set",
                                                    "items": {"type": "string"},
                                                },
                                            },
                                        },
                                    },
                                    "hull": {
                                        "type": "object",
                                        "x-kubernetes-map-type": "atomic",
                                        "additionalProperties": {"type": "string"},
                                    },
                                    "log": {"type": "array", "items": {"type": "string"}},
                                    "engine": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                                    "sails": {
                                        "type": "object",
                                        "properties": {
                                            "main": {"type": "integer"},
                                            "jib": {"type": "integer", "default": 1},
                                        },
                                    },
                                },
                            },
                            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                        },
                    }
                },
            }
        ],
    },
}
BOATS = GroupVersionResource("example.com", "v1", "boats")
DEPLOYMENTS = GroupVersionResource("apps", "v1", "deployments")


@pytest.fixture(scope="module")
def server(module_server: Server) -> Server:
    with Clientset(module_server.config) as cs:
        cs.apply(CRD)
    return module_server


@pytest.fixture
def dynamic(server: Server) -> Iterator[DynamicClient]:
    with DynamicClient(server.config) as made:
        yield made


def deployment(*containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    selector = {"matchLabels": {"app": "web"}}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": list(containers)}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"selector": selector, "template": template, **spec},
    }


MAIN = {
    "name": "main",
    "image": "a:1",
    "args": ["x", "y"],
    "env": [{"name": "A", "value": "1"}],
    "ports": [{"containerPort": 80}],
    "resources": {"limits": {"cpu": "500m"}},
}


def boat(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "example.com/v1", "kind": "Boat", "metadata": {"name": "b"}, "spec": spec}


def assert_reapplying_changes_nothing(client: Any, obj: Any, *managers: str, subresource: str = "") -> None:
    """Each manager's extraction, applied once more, leaves the object as it is, resource version and all."""
    for manager in managers:
        mine = extract_apply(obj, manager, subresource)
        apply = client.apply_status if subresource else client.apply
        assert apply(mine, field_manager=manager) == obj, manager


@pytest.mark.server_at_least("1.25")  # before that, server-side apply knew less of defaults and of no-ops
@pytest.mark.idle
def test_cli_11_reapplying_an_extraction_is_a_no_op(cs: Clientset, dynamic: DynamicClient, namespace: str) -> None:
    deployments = cs.apps_v1.deployments(namespace)
    first = {**deployment(MAIN, replicas=2), "metadata": {"name": "web", "labels": {"a": "1"}, "finalizers": ["x/a"]}}
    deployments.apply(first, field_manager="first")
    second = deployment({"name": "main", "env": [{"name": "B"}]}, {"name": "side", "image": "b"})
    second["metadata"] = {"name": "web", "labels": {"b": "2"}, "finalizers": ["x/b"]}
    deployments.apply(second, field_manager="second")
    deployments.patch("web", {"spec": {"paused": True}}, patch_type="merge", field_manager="third")
    deployments.apply_status(
        {"metadata": {"name": "web"}, "status": {"observedGeneration": 1}}, field_manager="first", force=True
    )

    typed = deployments.get("web")
    plain = dynamic.resource(DEPLOYMENTS, namespace).get("web")

    assert_reapplying_changes_nothing(deployments, typed, "first", "second")
    assert_reapplying_changes_nothing(dynamic.resource(DEPLOYMENTS, namespace), plain, "first", "second")
    assert_reapplying_changes_nothing(deployments, typed, "first", subresource="status")
    for obj in (typed, plain):
        assert without_namespace(extract_apply(obj, "first")) == first
        assert without_namespace(extract_apply(obj, "second")) == second
        assert set(extract_apply(obj, "third").to_dict()) == {"apiVersion", "kind", "metadata"}


def without_namespace(obj: Object) -> dict[str, Any]:
    document = obj.to_dict()
    del document["metadata"]["namespace"]
    return document


@pytest.mark.server_at_least("1.25")  # before that, server-side apply knew less of defaults and of no-ops
def test_cli_11_of_custom_resources_too(dynamic: DynamicClient, namespace: str) -> None:
    boats = dynamic.resource(BOATS, namespace)
    first = boat(
        crew=[{"name": "ann", "age": 30, "skills": ["cook"]}, {"name": "bob", "role": "captain"}],
        hull={"colour": "red", "wood": "oak"},
        log=["left", "arrived"],
        engine={"power": 5, "parts": [{"id": 1}], "extra": {"deep": {"x": 1}}},
        sails={"main": 3},
    )
    second = boat(
        crew=[{"name": "ann", "skills": ["sew", "cook"]}, {"name": "zed", "age": 1}],
        engine={"extra": {"deep": {"y": 2}}},
    )
    boats.apply(first, field_manager="first")
    boats.apply(second, field_manager="second")
    boats.apply_status({**boat(), "status": {"afloat": True}}, field_manager="first")

    obj = boats.get("b")

    assert without_namespace(extract_apply(obj, "first")) == first
    assert without_namespace(extract_apply(obj, "second")) == second
    assert extract_apply(obj, "first", "status")["status"] == {"afloat": True}
    assert_reapplying_changes_nothing(boats, obj, "first", "second")
    assert_reapplying_changes_nothing(boats, obj, "first", subresource="status")


def test_cli_11_a_change_of_an_extraction_keeps_the_rest(cs: Clientset, namespace: str) -> None:
    deployments = cs.apps_v1.deployments(namespace)
    deployments.apply(deployment(MAIN, replicas=2), field_manager="me")

    mine = extract_apply(deployments.get("web"), "me")
    mine.spec.replicas = 5
    changed = deployments.apply(mine, field_manager="me")

    assert changed.spec.replicas == 5
    assert extract_apply(changed, "me") == mine


@pytest.mark.server_at_least("1.25")  # before that, server-side apply knew less of defaults and of no-ops
def test_cli_11_services_with_default_protocols(cs: Clientset, namespace: str) -> None:
    services = cs.core_v1.services(namespace)
    wanted = Service.from_dict(
        {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 53}, {"port": 53, "protocol": "UDP", "name": "u"}]}}
    )
    wanted.spec.ports[0].name = "t"

    made = services.apply(wanted, field_manager="me")

    assert without_namespace(extract_apply(made, "me")) == wanted.to_dict()
    assert_reapplying_changes_nothing(services, made, "me")


@pytest.mark.server_at_least("1.25")  # before that, server-side apply knew less of defaults and of no-ops
def test_cli_54_after_the_upgrade_an_apply_removes_what_client_side_apply_had_set(
    cs: Clientset, namespace: str
) -> None:
    deployments = cs.apps_v1.deployments(namespace)
    old = deployment(MAIN, replicas=2, paused=True)
    old["metadata"]["annotations"] = {LAST_APPLIED: json.dumps(deployment(MAIN))}
    stale = deployments.create(old, field_manager="kubectl-client-side-apply")
    deployments.label("web", tier="fe")

    patch = upgrade_managed_fields_patch(stale, "kubectl-client-side-apply", "me")
    with pytest.raises(errors.Conflict):
        deployments.patch("web", patch, patch_type="json")
    patch = upgrade_managed_fields_patch(deployments.get("web"), "kubectl-client-side-apply", "me")
    upgraded = deployments.patch("web", patch, patch_type="json")
    applied = deployments.apply(deployment(MAIN, replicas=3), field_manager="me")

    assert ("me", "Apply") in [(each.manager, each.operation) for each in upgraded.metadata.managed_fields]
    assert upgrade_managed_fields_patch(upgraded, "kubectl-client-side-apply", "me") is None
    assert (applied.spec.replicas, applied.spec.paused) == (3, None)
    assert applied.metadata.labels == {"tier": "fe"}
