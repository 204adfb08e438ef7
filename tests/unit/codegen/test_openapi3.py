"""Definitions from OpenAPI v3 documents: aggregated APIs, whose schemas refer to each other. Contract: CLI-62."""

from __future__ import annotations

import importlib
import sys

import pytest

from k8srt.apimachinery.meta import APIResource, LabelSelector
from k8srt.apimachinery.model import fields_of
from k8srt.codegen import openapi3
from k8srt.codegen.crd import DefinitionError
from k8srt.codegen.files import write_files
from k8srt.codegen.package import files_of

PACKAGE = "com.example.metrics.pkg.apis.metrics.v1beta1"
META = "io.k8s.apimachinery.pkg.apis.meta.v1"


def refer(name):
    return {"$ref": f"#/components/schemas/{name}"}


def wrapped(name, **facts):
    return {"allOf": [refer(name)], **facts}


DOCUMENT = {
    "openapi": "3.0.0",
    "components": {
        "schemas": {
            f"{PACKAGE}.NodeUsage": {
                "type": "object",
                "description": "NodeUsage tells what a node uses.",
                "required": ["timestamp", "window", "usage"],
                "properties": {
                    "apiVersion": {"type": "string"},
                    "kind": {"type": "string"},
                    "metadata": wrapped(f"{META}.ObjectMeta", default={}),
                    "timestamp": wrapped(f"{META}.Time", description="When it was measured.", default={}),
                    "window": wrapped(f"{META}.Duration"),
                    "usage": {
                        "type": "object",
                        "additionalProperties": wrapped("io.k8s.apimachinery.pkg.api.resource.Quantity", default={}),
                    },
                    "containers": {
                        "type": "array",
                        "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["name"],
                        "items": wrapped(f"{PACKAGE}.Part", default={}),
                    },
                    "selector": refer(f"{META}.LabelSelector"),
                    "tolerations": {"type": "array", "items": refer("io.k8s.api.core.v1.Toleration")},
                    "port": refer("io.k8s.apimachinery.pkg.util.intstr.IntOrString"),
                    "raw": refer("io.k8s.apimachinery.pkg.runtime.RawExtension"),
                    "level": refer(f"{PACKAGE}.Level"),
                    "peer": refer(f"{PACKAGE}.NodeUsage"),
                },
                "x-kubernetes-group-version-kind": [
                    {"group": "usage.example.com", "kind": "NodeUsage", "version": "v1beta1"}
                ],
            },
            f"{PACKAGE}.Part": {
                "type": "object",
                "description": "Part is one of many.",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "default": ""},
                    "parts": {"type": "array", "items": wrapped(f"{PACKAGE}.Part")},
                },
            },
            f"{PACKAGE}.Level": {"type": "string", "enum": ["low", "high"]},
            f"{META}.Duration": {"type": "string"},
        }
    },
}


def resource(name, kind="NodeUsage", verbs=("get", "list"), **facts):
    return APIResource(name=name, kind=kind, namespaced=False, singular_name="", verbs=list(verbs), **facts)


RESOURCES = [
    resource("nodes", short_names=["nu"]),
    resource("nodes/reset", verbs=["update"]),
    resource("nodes/scale", kind="Scale", verbs=["patch", "get", "update"], group="autoscaling", version="v1"),
]


def read(version="v1beta1"):
    [each] = openapi3.served(f"usage.example.com/{version}", RESOURCES)
    return openapi3.definition(each, DOCUMENT)


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    root = tmp_path_factory.mktemp("generated")
    write_files(root / "usage_gen", files_of([read()], "usage_gen"))
    sys.path.insert(0, str(root))
    yield lambda name: importlib.import_module(f"usage_gen.{name}")
    sys.path.remove(str(root))
    for module in [name for name in sys.modules if name.partition(".")[0] == "usage_gen"]:
        del sys.modules[module]


def test_facts_of_a_resource_are_what_discovery_tells(load):
    info = load("api.v1beta1").NodeUsage.__info__

    assert (info.resource, info.namespaced, info.short_names, info.verbs) == ("nodes", False, ("nu",), ("get", "list"))
    assert info.subresource("reset").verbs == ("update",)
    assert str(info.subresource("scale").gvk.kind) == "Scale"


def test_cli_62_schemas_that_have_a_name_are_classes_of_that_name(load):
    v1beta1 = load("api.v1beta1")

    fields = {name: info.type for name, info in fields_of(v1beta1.Part).items()}
    assert fields["parts"] == list[v1beta1.Part]
    assert v1beta1.Part.__doc__ == "Part is one of many."
    got = v1beta1.NodeUsage.from_dict({"peer": {"containers": [{"name": "a", "parts": [{"name": "b"}]}]}})
    assert got.peer.containers[0].parts[0].name == "b"


def test_what_the_library_has_is_taken_from_it(load):
    from k8srt.api.core.v1 import Toleration
    from k8srt.apimachinery.object import parts_of

    parts = parts_of(load("api.v1beta1").NodeUsage)

    assert parts["tolerations"].type == list[Toleration]
    assert parts["selector"].type is LabelSelector
    assert parts["timestamp"].type.__origin__.__name__ == "datetime"
    assert parts["window"].type is str
    assert parts["port"].type == int | str
    assert parts["level"].type.choices == ("low", "high")
    assert (parts["containers"].keys, parts["containers"].schema) == (("name",), None)
    got = load("api.v1beta1").NodeUsage.from_dict({"usage": {"cpu": "1", "memory": 5}})
    assert got.usage == {"cpu": "1", "memory": 5}


def test_cli_60_a_client_has_the_verbs_there_are_and_there_is_no_informer(load):
    client = load("client")

    assert "get" in dir(client.V1beta1NodeUsageClient)
    assert "create" not in dir(client.V1beta1NodeUsageClient)
    with pytest.raises(ModuleNotFoundError):
        load("informers")


def test_versions_with_clients_of_their_own_do_not_share_their_names():
    [each] = openapi3.served("usage.example.com/v1", RESOURCES)
    text = str(DOCUMENT).replace("'v1beta1'", "'v1'")
    again = openapi3.definition(each, eval(text))

    made = files_of([read(), again], "x")["client.py"]

    assert made.count("class UsageV1NodeUsageClient(") == 1
    assert made.count("class UsageV1beta1NodeUsageClient(") == 1


def test_a_document_without_the_kind_is_an_error_that_names_it():
    with pytest.raises(
        DefinitionError, match=r"nodes\.usage\.example\.com: the OpenAPI document of usage\.example\.com/v2"
    ):
        read("v2")
