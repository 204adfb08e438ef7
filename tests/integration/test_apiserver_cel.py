"""Rules of definitions as clients meet them: created, patched, applied, and warned of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from k8srt import errors
from k8srt.apimachinery.schema import GroupVersionResource
from k8srt.dynamic import DynamicClient
from k8srt.testing import APIServer

pytestmark = pytest.mark.embedded

JSON = dict[str, Any]
ODD = r"self.name.matches('^\\p{Lu}')"


def definition(*rules: JSON, **properties: JSON) -> JSON:
    spec = {"type": "object", "properties": properties, "x-kubernetes-validations": list(rules)}
    status = {"type": "object", "properties": {"ready": {"type": "integer"}}}
    status["x-kubernetes-validations"] = [{"rule": "self.ready >= 0", "message": "ready counts"}]
    schema = {"type": "object", "properties": {"spec": spec, "status": status}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "widgets", "kind": "Widget"},
            "versions": [{**version, "subresources": {"status": {}, "scale": {
                "specReplicasPath": ".spec.size", "statusReplicasPath": ".status.ready"}}}],
        },
    }  # fmt: skip


def widget(**spec: Any) -> JSON:
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": spec}


@pytest.fixture
def server() -> Iterator[APIServer]:
    with APIServer() as running:
        yield running


@pytest.fixture
def widgets(server: APIServer) -> Iterator[Any]:
    with DynamicClient(server.config) as client:
        yield client.resource(GroupVersionResource("example.com", "v1", "widgets"), "default")


SIZED = {"rule": "self.size <= 5", "message": "at most five"}
SIZE, NAME = {"type": "integer"}, {"type": "string"}


def test_every_kind_of_write_is_held_to_the_rules(server: APIServer, widgets: Any):
    kept = {"rule": "self == oldSelf", "message": "stays"}
    server.load(definition(SIZED, size=SIZE, name={**NAME, "x-kubernetes-validations": [kept]}))
    widgets.create(widget(size=1, name="n"))

    for attempt, text in (
        (lambda: widgets.patch("w", {"spec": {"size": 6}}, patch_type="merge"), "at most five"),
        (
            lambda: widgets.patch("w", {"spec": {"replicas": 7}}, patch_type="merge", subresource="scale"),
            "at most five",
        ),
        (lambda: widgets.patch("w", {"status": {"ready": -1}}, patch_type="merge", subresource="status"), "counts"),
        (lambda: widgets.apply(widget(size=8, name="n"), field_manager="me", force=True), "at most five"),
        (lambda: widgets.apply(widget(size=1, name="m"), field_manager="me", force=True), "stays"),
    ):
        with pytest.raises(errors.Invalid, match=text):
            attempt()

    assert widgets.apply(widget(size=5, name="n"), field_manager="me", force=True)["spec"]["size"] == 5


def test_an_object_that_was_fine_before_the_rule_came_can_still_be_changed(server: APIServer, widgets: Any):
    server.load(definition(size={**SIZE}, name=NAME))
    widgets.create(widget(size=9, name="n"))
    rule = {"rule": "self <= 5", "message": "at most five"}
    server.load(definition(size={**SIZE, "x-kubernetes-validations": [rule]}, name=NAME))

    changed = widgets.patch("w", {"spec": {"name": "m"}}, patch_type="merge")
    with pytest.raises(errors.Invalid, match="at most five"):
        widgets.patch("w", {"spec": {"size": 8}}, patch_type="merge")

    assert changed["spec"]["name"] == "m"


def test_what_is_not_evaluated_is_told_with_every_write(
    server: APIServer, widgets: Any, caplog: pytest.LogCaptureFixture
):
    server.load(definition({"rule": ODD}, name=NAME))

    widgets.create(widget(name="small"))

    assert "validation rule is not evaluated by this server" in caplog.text


def test_a_definition_with_a_rule_that_does_not_compile_is_refused(server: APIServer):
    definitions = GroupVersionResource("apiextensions.k8s.io", "v1", "customresourcedefinitions")
    wrong = definition({"rule": "self.nmae == ''"}, name=NAME)

    with DynamicClient(server.config) as client, pytest.raises(errors.Invalid) as caught:
        client.resource(definitions).create(wrong)

    assert "undefined field 'nmae'\n | self.nmae == ''\n | ....^" in caught.value.message
