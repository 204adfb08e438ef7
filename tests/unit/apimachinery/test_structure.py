from __future__ import annotations

from typing import Any

from k8srt.api.apiextensions.v1 import CustomResourceDefinition
from k8srt.api.apps.v1 import Deployment, StatefulSet
from k8srt.api.core.v1 import ConfigMap, Secret, ServiceAccount
from k8srt.apimachinery.structure import ABSENT, ANY, Structure, structure_of, structure_of_schema


def at(structure: Structure, *path: str) -> Structure:
    for name in path:
        below = structure.items if name == "*" else structure.child(name)
        assert below is not None, name
        structure = below
    return structure


CONTAINERS = ("spec", "template", "spec", "containers")


def test_lists_know_how_they_merge():
    containers = at(structure_of(Deployment), *CONTAINERS)

    assert (containers.kind, containers.list_type, containers.keys) == ("list", "map", ("name",))
    assert (containers.patch, containers.patch_key) == (("merge",), "name")
    assert at(structure_of(Deployment), *CONTAINERS, "*", "ports", "*", "protocol").default == "TCP"
    assert at(structure_of(ServiceAccount), "secrets").keys == ("name",)


def test_scalars_keep_their_formats():
    deployment = structure_of(Deployment)

    assert at(deployment, "metadata", "creationTimestamp").format == "date-time"
    assert at(deployment, *CONTAINERS, "*", "resources", "limits", "cpu").format == "quantity"
    assert at(deployment, "spec", "strategy", "rollingUpdate", "maxSurge").kind == "int-or-string"
    assert at(structure_of(Secret), "data", "k").format == "byte"


def test_what_is_owned_as_a_whole():
    deployment = structure_of(Deployment)

    assert at(deployment, "spec", "selector").atomic
    assert at(deployment, "metadata", "ownerReferences", "*").atomic
    assert at(deployment, "spec", "replicas").atomic
    assert not at(deployment, "metadata", "labels").atomic
    assert not at(deployment, *CONTAINERS).atomic


def test_structs_that_go_always_has():
    deployment = structure_of(Deployment)

    assert at(deployment, "spec", "strategy").inline
    assert at(deployment, *CONTAINERS, "*", "resources").inline
    assert not at(deployment, "spec", "strategy", "rollingUpdate").inline


def test_structures_may_refer_to_themselves():
    schema = ("spec", "versions", "*", "schema", "openAPIV3Schema")
    node = at(structure_of(CustomResourceDefinition), *schema, *("properties", "x") * 5)

    assert node.child("type") is not None


def test_kinds_may_hold_kinds():
    claim = at(structure_of(StatefulSet), "spec", "volumeClaimTemplates", "*")

    assert at(claim, "spec", "storageClassName").kind == "string"
    assert claim.child("apiVersion") is not None


def test_what_is_not_declared_has_no_structure():
    assert structure_of(ConfigMap).child("what") is None
    assert structure_of(ConfigMap).child("data") is not None
    assert ANY.child("what") is ANY


SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["spec"],
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "size": {"type": "integer", "default": 3},
                "port": {"x-kubernetes-int-or-string": True},
                "map": {"type": "object", "additionalProperties": {"type": "string", "nullable": True}},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "inner": {"type": "object", "x-kubernetes-embedded-resource": True},
                "whole": {"type": "object", "x-kubernetes-map-type": "atomic"},
                "rows": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["id"],
                    "items": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}},
                },
            },
        }
    },
}


def test_the_schema_of_a_custom_resource():
    structure = structure_of_schema(SCHEMA)
    spec = at(structure, "spec")

    assert spec.required
    assert at(spec, "size").default == 3
    assert at(spec, "map").default is ABSENT
    assert at(spec, "port").kind == "int-or-string"
    assert at(spec, "map", "any").nullable
    assert at(spec, "free", "any", "thing") is ANY
    assert at(spec, "inner", "metadata", "labels", "a").kind == "string"
    assert at(spec, "whole").atomic
    assert (at(spec, "rows").list_type, at(spec, "rows").keys) == ("map", ("id",))
    assert at(spec, "rows", "*", "id").required


def test_metadata_of_a_custom_resource_is_object_meta():
    structure = structure_of_schema({"type": "object"})

    assert at(structure, "metadata", "finalizers").list_type == "set"
    assert structure.child("apiVersion") is not None
    assert structure.child("spec") is None
