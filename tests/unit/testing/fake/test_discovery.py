"""What a fake says it serves."""

from __future__ import annotations

import pytest

from k8srt import errors
from k8srt.apimachinery.meta import APIResource, APIResourceList
from k8srt.discovery import DiscoveryClient, VersionInfo
from k8srt.metadata import PartialObjectMetadata
from k8srt.testing import FakeClientset
from tests.unit.testing.fake.things import WIDGET_DEFINITION, Widget

WIDGETS = APIResourceList(
    group_version="example.com/v1",
    resources=[
        APIResource(
            name="widgets", kind="Widget", namespaced=True, singular_name="widget", verbs=["get", "list"],
            short_names=["wd"],
        ),
        APIResource(name="widgets/status", kind="Widget", namespaced=True, singular_name="", verbs=["get"]),
    ],
)  # fmt: skip


def test_the_cluster_tells_what_it_serves(fake: FakeClientset) -> None:
    assert fake.resource("deploy", "default").info.resource == "deployments"
    assert str(fake.discovery.version).startswith("v1.")
    assert fake.discovery.resources[0].group_version == "v1"


def test_definitions_that_are_loaded_are_found_by_name(fake: FakeClientset) -> None:
    with pytest.raises(errors.NoMatch):
        fake.resource("wd")

    fake.load(WIDGET_DEFINITION)

    assert fake.resource("wd").info.resource == "widgets"
    assert "widgets" in [row.resource for row in fake.api_resources()]


def test_what_is_kept_is_forgotten_when_something_else_is_served(fake: FakeClientset) -> None:
    assert fake.api_resources(api_group="example.com") == []

    fake.serve(Widget)

    assert [row.resource for row in fake.api_resources(api_group="example.com")] == ["widgets"]


def test_cli_35_the_resources_are_what_is_set(fake: FakeClientset) -> None:
    fake.discovery.resources = [WIDGETS, {"groupVersion": "v1", "resources": [_plain("pods", "Pod")]}]

    assert [each.group_version for each in fake.discovery.resources] == ["v1", "example.com/v1"]
    assert [row.resource for row in fake.api_resources()] == ["pods", "widgets"]
    assert fake.resource("wd").info.subresource("status") is not None
    with pytest.raises(errors.NoMatch):
        fake.resource("deployments")
    live = DiscoveryClient(fake.config)
    assert live.server_resources_for_group_version("example.com/v1").resources[0].kind == "Widget"
    assert [group.name for group in live.server_groups()] == ["", "example.com"]
    with pytest.raises(errors.NotFound):
        live.server_resources_for_group_version("example.com/v2")

    fake.discovery.resources = None

    assert fake.resource("deployments").info.kind == "Deployment"


def test_a_list_that_does_not_say_of_which_version_it_is_is_refused(fake: FakeClientset) -> None:
    with pytest.raises(ValueError, match="groupVersion"):
        fake.discovery.resources = [{"resources": []}]


def test_cli_35_the_version_is_what_is_set(fake: FakeClientset) -> None:
    fake.discovery.version = VersionInfo(major="1", minor="29", git_version="v1.29.3")

    assert str(fake.discovery.version) == "v1.29.3"
    assert DiscoveryClient(fake.config).server_version().minor == "29"

    fake.discovery.version = None

    assert fake.discovery.version.minor != "29"


def test_cli_21_partial_failure_of_a_fake(fake: FakeClientset) -> None:
    fake.discovery.resources = [WIDGETS, {"groupVersion": "v1", "resources": [_plain("pods", "Pod")]}]
    fake.fail("get", "/apis/example.com/v1", errors.ServiceUnavailable)

    with pytest.raises(errors.GroupDiscoveryFailed) as caught:
        fake.discovery.server_groups_and_resources()

    assert [str(version) for version in caught.value.groups] == ["example.com/v1"]


def test_questions_about_the_server_are_recorded_apart(fake: FakeClientset) -> None:
    _ = fake.discovery.version
    fake.resource("deploy", "default").list()

    assert fake.discovery.actions.lines() == ["get /version", "get /api", "get /apis"]
    assert fake.actions.lines() == ["list deployments.apps default/*"]
    assert repr(fake.discovery) == "<FakeDiscovery, 3 questions>"


def test_a_class_can_be_served_without_a_definition(fake: FakeClientset) -> None:
    fake.serve(Widget)
    widgets = fake.resource(Widget, "default")

    widgets.create(Widget.from_dict({"metadata": {"name": "w"}, "spec": {"anything": [1]}}))

    assert widgets.get("w").spec == {"anything": [1]}
    assert fake.resource("widgets").info.kind == "Widget"
    with pytest.raises(ValueError, match="is not a resource"):
        fake.serve(PartialObjectMetadata)


def _plain(name: str, kind: str) -> dict[str, object]:
    return {"name": name, "kind": kind, "namespaced": True, "singularName": kind.lower(), "verbs": ["list"]}
