"""What a fake remembers of its calls."""

from __future__ import annotations

import pytest

from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import ConfigMap, Pod
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.dynamic import DynamicClient
from k8srt.testing import Action, FakeClientset
from tests.unit.testing.fake.things import CONFIG_MAPS, WIDGETS, Widget, config_map, pod


def test_cli_29_every_call_is_recorded_in_its_order(fake: FakeClientset) -> None:
    maps = fake.core_v1.config_maps("default")
    made = maps.create(config_map("a", x="1"))
    maps.get("a")
    maps.list(label_selector="app=web")
    maps.update(made)
    maps.patch("a", {"data": {"y": "2"}}, patch_type="merge")
    maps.apply({"metadata": {"name": "b"}}, field_manager="me")
    fake.core_v1.pods().watch(field_selector="spec.nodeName=n1").close()
    fake.core_v1.namespaces().get("default")
    maps.delete("a")
    maps.delete_collection(label_selector="app=web")

    assert fake.actions.lines() == [
        "create configmaps default/a",
        "get configmaps default/a",
        "list configmaps default/*",
        "update configmaps default/a",
        "patch configmaps default/a (merge)",
        "patch configmaps default/b (apply)",
        "watch pods",
        "get namespaces default",
        "delete configmaps default/a",
        "deletecollection configmaps default/*",
    ]


def test_cli_29_what_is_recorded_is_a_copy(fake: FakeClientset) -> None:
    sent = config_map("a", x="1")
    fake.core_v1.config_maps("default").create(sent)
    sent.data["x"] = "changed"

    [action] = fake.actions
    action.object.data["x"] = "changed, too"

    assert isinstance(action.object, ConfigMap)
    assert action.object.data == {"x": "1"}


def test_cli_29_the_list_is_a_copy_and_can_be_cleared(fake: FakeClientset) -> None:
    fake.core_v1.nodes().list()
    before = fake.actions

    fake.clear_actions()

    assert fake.actions == []
    assert before.lines() == ["list nodes"]


def test_cli_29_calls_that_fail_are_recorded_too(fake: FakeClientset) -> None:
    with pytest.raises(Exception, match="not found"):
        fake.core_v1.pods("default").get("nope")

    assert fake.actions.lines() == ["get pods default/nope"]


def test_an_action_tells_what_was_asked(fake: FakeClientset) -> None:
    maps = fake.core_v1.config_maps("default")
    maps.create(config_map("a"), dry_run=True, field_manager="me")
    maps.list(label_selector={"app": "web"}, field_selector="metadata.name=a", limit=5)
    with pytest.raises(Exception, match="not found"):
        maps.delete("a", propagation_policy="Foreground", grace_period_seconds=0, dry_run=True)

    create, listed, delete = fake.actions

    assert (create.dry_run, create.field_manager) == (True, "me")
    assert (listed.label_selector, listed.field_selector, listed.parameters["limit"]) == (
        "app=web",
        "metadata.name=a",
        "5",
    )
    options = delete.delete_options
    assert options is not None
    assert (options.propagation_policy, options.grace_period_seconds, delete.dry_run) == ("Foreground", 0, True)
    assert listed.delete_options is None
    assert listed.object is None
    assert repr(listed) == (
        "<Action list configmaps default/* ?fieldSelector=metadata.name=a&labelSelector=app=web&limit=5>"
    )


def test_subresources_patches_and_unnamed_objects(fake: FakeClientset) -> None:
    fake.load(pod("web"))
    fake.core_v1.pods("default").evict("web")
    fake.core_v1.config_maps("default").create({"metadata": {"generateName": "cfg-"}})
    fake.core_v1.config_maps("default").apply({"metadata": {"name": "z"}, "data": {"k": "v"}}, field_manager="me")

    evict, create, apply = fake.actions

    assert str(evict) == "create pods/eviction default/web"
    assert evict.object.kind == "Eviction"
    assert str(create) == "create configmaps default/cfg-*"
    assert apply.object.data == {"k": "v"}
    assert apply.patch["data"] == {"k": "v"}


def test_kinds_without_a_class_are_unstructured(fake: FakeClientset) -> None:
    fake.load({"apiVersion": "example.com/v1", "kind": "Gadget", "metadata": {"name": "g", "namespace": "default"}})
    fake.resource("gadgets", "default").create(
        {"apiVersion": "example.com/v1", "kind": "Gadget", "metadata": {"name": "h"}, "spec": {"size": 1}}
    )

    [action] = fake.actions

    assert isinstance(action.object, Unstructured)
    assert action.object["spec"] == {"size": 1}


def test_actions_are_compared_by_what_they_ask(fake: FakeClientset) -> None:
    fake.core_v1.config_maps("shop").list(label_selector="a=b")
    fake.core_v1.config_maps("default").create(config_map("a", x="1"))
    fake.core_v1.config_maps("default").patch("a", {"data": {"x": "2"}}, patch_type="merge")
    fake.core_v1.config_maps("default").delete("a")

    assert fake.actions == [
        Action.of("list", ConfigMap, "shop", label_selector="a=b"),
        Action.of("create", CONFIG_MAPS, "default", "a", object=config_map("a", x="1")),
        Action.of("patch", ConfigMap, "default", "a", patch={"data": {"x": "2"}}, patch_type="merge"),
        Action.of("delete", ConfigMap, "default", "a"),
    ]
    assert fake.actions[1] != Action.of("create", ConfigMap, "default", "a", object=config_map("a", x="2"))
    assert fake.actions[3] != Action.of("delete", ConfigMap, "default", "b")
    assert fake.actions[3] != "delete"


def test_an_action_needs_a_resource() -> None:
    from k8srt.metadata import PartialObjectMetadata

    with pytest.raises(ValueError, match="PartialObjectMetadata is not served as a resource"):
        Action.of("get", PartialObjectMetadata)


def test_actions_are_narrowed(fake: FakeClientset) -> None:
    fake.load(pod("web"))
    fake.core_v1.pods("default").get("web")
    fake.core_v1.pods("default").evict("web")
    fake.core_v1.config_maps("default").create(config_map("a"))
    fake.core_v1.config_maps("kube-system").list()

    actions = fake.actions

    assert actions.where("get").lines() == ["get pods default/web"]
    assert len(actions.where(resource=Pod)) == len(actions.where(resource="pods")) == 2
    assert actions.where(resource="pods/eviction").lines() == ["create pods/eviction default/web"]
    assert actions.where(namespace="kube-system").lines() == ["list configmaps kube-system/*"]
    assert actions.where("create", ConfigMap, name="a").lines() == ["create configmaps default/a"]
    assert actions.writes().lines() == ["create pods/eviction default/web", "create configmaps default/a"]


@pytest.mark.parametrize(
    ("verb", "resource", "matches"),
    [
        ("update", "deployments", True),
        ("*", "*", True),
        ("get", "deployments", False),
        ("update", "pods", False),
        ("update", "deployments/status", True),
        ("update", "deployments/scale", False),
        ("update", "*/status", True),
        ("update", "deployments/*", True),
        ("update", "deployments.apps", True),
        ("update", "deployments.apps/status", True),
        ("update", "deployments.v1.apps", True),
        ("update", "deployments.v2.apps", False),
        ("update", "deployments.batch", False),
        ("update", Deployment, True),
        ("update", Pod, False),
        ("update", "/apis", False),
    ],
)
def test_cli_30_what_matches(verb: str, resource: str, matches: bool) -> None:
    action = Action.of("update", Deployment, "shop", "web", subresource="status")

    assert action.matches(verb, resource) is matches


def test_cli_30_a_collection_is_no_subresource() -> None:
    action = Action.of("list", Pod)

    assert action.matches("list", "pods")
    assert not action.matches("list", "pods/*")
    assert Action.of("delete-collection", Pod).matches("delete_collection", "pods")


def test_other_clients_of_the_same_config_are_recorded(fake: FakeClientset) -> None:
    fake.serve(Widget)

    DynamicClient(fake.config).resource(WIDGETS, "default").list()
    fake.dynamic.resource(CONFIG_MAPS, "default").list()
    fake.metadata.resource(CONFIG_MAPS, "default").list()
    fake.tracker.core_v1.nodes().list()

    assert fake.actions.lines() == [
        "list widgets.example.com default/*",
        "list configmaps default/*",
        "list configmaps default/*",
    ]
