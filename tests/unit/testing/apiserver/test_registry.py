"""Rows of what is served."""

from __future__ import annotations

from k8srt.testing.apiserver.customs import rows_of
from k8srt.testing.apiserver.registry import Registry, version_order
from k8srt.testing.apiserver.strategies.table import STRATEGIES

DEFINITION = {
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget", "shortNames": ["wd"]},
        "versions": [
            {"name": "v1", "served": True, "storage": True, "subresources": {"status": {}},
             "schema": {"openAPIV3Schema": {"type": "object"}}},
            {"name": "v2", "served": True, "storage": False, "schema": {"openAPIV3Schema": {"type": "object"}}},
            {"name": "v3", "served": False, "storage": False, "schema": {"openAPIV3Schema": {"type": "object"}}},
        ],
    },
}  # fmt: skip


def test_versions_are_preferred_as_kubernetes_does():
    versions = ["v1", "v1alpha1", "v2beta1", "v10", "v2", "v1beta2", "foo1", "v11alpha2", "v1beta10"]

    ordered = sorted(versions, key=version_order)

    assert ordered == ["v10", "v2", "v1", "v2beta1", "v1beta10", "v1beta2", "v11alpha2", "v1alpha1", "foo1"]


def test_built_in_rows_come_from_the_models():
    registry = Registry(STRATEGIES)

    pods = registry.find("", "v1", "pods")
    scale = registry.find("apps", "v1", "deployments")

    assert pods is not None
    assert (pods.kind, pods.namespaced, pods.list_kind) == ("Pod", True, "PodList")
    assert scale is not None
    assert scale.subresource("scale") is not None
    assert registry.find("", "v1", "widgets") is None
    assert next(iter(registry.groups())) == ""


def test_every_strategy_belongs_to_a_row():
    registry = Registry(STRATEGIES)

    tables = {resource.table for resource in registry.resources()}

    assert set(STRATEGIES) <= tables


def test_a_definition_makes_a_row_for_each_served_version_and_takes_them_away():
    registry = Registry(STRATEGIES)
    before = registry.revision

    registry.add(rows_of(DEFINITION, since=1))
    one, two = registry.find("example.com", "v1", "widgets"), registry.find("example.com", "v2", "widgets")

    assert one is not None
    assert two is not None
    assert one.subresource("status") is not None
    assert two.subresource("status") is None
    assert registry.find("example.com", "v3", "widgets") is None
    assert registry.groups()["example.com"] == ["v2", "v1"]
    assert registry.by_table("widgets.example.com") is one
    assert registry.revision > before

    registry.remove("example.com", "widgets")
    assert not registry.has_group("example.com")
