"""What controller tests rely on in a fake: it behaves as the server does, whose storage it is. Contract: FKC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from k8srt import errors
from k8srt.api.core.v1 import ConfigMap
from k8srt.testing import Action, FakeClientset, refusal
from tests.unit.testing.fake.things import config_map, pod

LABELS = {"app": "web"}
DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {
        "selector": {"matchLabels": LABELS},
        "template": {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "main", "image": "app"}]}},
    },
}
GADGETS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: gadgets, kind: Gadget}
  versions:
  - name: v1
    served: true
    storage: true
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.size, statusReplicasPath: .status.size}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, properties: {size: {type: integer, default: 3}}}
          status: {type: object, properties: {size: {type: integer}}}
---
apiVersion: example.com/v1
kind: Gadget
metadata: {name: one, namespace: default}
spec: {}
"""


@pytest.fixture
def fake() -> FakeClientset:
    return FakeClientset()


def test_fkc_01_it_holds_objects_of_every_form_and_lists(fake: FakeClientset) -> None:
    fake.load(config_map("a"), [config_map("b")], {"kind": "List", "apiVersion": "v1", "items": [DEPLOYMENT]}, GADGETS)

    assert {"a", "b"} <= {each.metadata.name for each in fake.core_v1.config_maps("default").list()}
    assert fake.apps_v1.deployments("default").get("web").spec.replicas == 1
    assert fake.resource("gadgets.example.com", "default").get("one")["spec"] == {"size": 3}


def test_fkc_02_a_function_may_come_before_each_verb_and_ask_the_real_cluster(fake: FakeClientset) -> None:
    fake.load(config_map("a", k="v"))

    def shout(action: Action) -> ConfigMap:
        found = fake.tracker.core_v1.config_maps(action.namespace).get(action.name)
        found.data = {key: value.upper() for key, value in found.data.items()}
        return found

    def refuse(action: Action) -> None:
        raise refusal(errors.Forbidden)

    fake.prepend_reactor("get", ConfigMap, shout)
    for verb in ("create", "update", "patch", "delete", "deletecollection", "list"):
        fake.prepend_reactor(verb, ConfigMap, refuse)
    maps = fake.core_v1.config_maps("default")

    assert maps.get("a").data == {"k": "V"}
    for call in (
        lambda: maps.create(config_map("b")),
        lambda: maps.update(config_map("a")),
        lambda: maps.patch("a", {}, patch_type="merge"),
        lambda: maps.apply(config_map("a"), field_manager="me"),
        lambda: maps.delete("a"),
        lambda: maps.delete_collection(),
        lambda: maps.list(),
    ):
        with pytest.raises(errors.Forbidden):
            call()
    assert fake.core_v1.pods("default").list().items == []


def test_fkc_03_a_field_that_cannot_be_selected_by_is_refused(fake: FakeClientset) -> None:
    with pytest.raises(errors.BadRequest, match="not a known field selector"):
        fake.core_v1.config_maps("default").list(field_selector="data.color=red")


class TestCreate:
    """FKC-04."""

    def test_fkc_04_a_resource_version_is_refused(self, fake: FakeClientset) -> None:
        with pytest.raises(errors.StatusError, match="resourceVersion should not be set"):
            fake.core_v1.config_maps("default").create({"metadata": {"name": "a", "resourceVersion": "5"}})

    def test_fkc_04_a_name_or_the_beginning_of_one_is_needed(self, fake: FakeClientset) -> None:
        with pytest.raises(errors.Invalid, match="name or generateName is required"):
            fake.core_v1.config_maps("default").create({"metadata": {}})

    def test_fkc_04_a_long_beginning_is_cut(self, fake: FakeClientset) -> None:
        made = fake.core_v1.config_maps("default").create({"metadata": {"generateName": "x" * 80}})

        assert made.metadata.name.startswith("x" * 58)
        assert len(made.metadata.name) == 63

    def test_fkc_04_a_deletion_that_is_asked_for_is_dropped(self, fake: FakeClientset) -> None:
        made = fake.core_v1.config_maps("default").create(
            {"metadata": {"name": "a", "deletionTimestamp": "2020-01-01T00:00:00Z"}}
        )

        assert made.metadata.deletion_timestamp is None


class TestUpdate:
    """FKC-05."""

    def test_fkc_05_an_old_version_is_a_conflict_and_none_is_fine_where_it_is(self, fake: FakeClientset) -> None:
        fake.load(config_map("a"), GADGETS)
        maps, gadgets = fake.core_v1.config_maps("default"), fake.resource("gadgets.example.com", "default")
        old = maps.get("a")
        maps.patch("a", {"data": {"k": "v"}}, patch_type="merge")

        with pytest.raises(errors.Conflict):
            maps.update(old)
        assert maps.update({"metadata": {"name": "a"}, "data": {"k": "w"}}).data == {"k": "w"}
        with pytest.raises(errors.Invalid, match="resourceVersion"):
            gadgets.update({"apiVersion": "example.com/v1", "kind": "Gadget", "metadata": {"name": "one"}, "spec": {}})

    def test_fkc_05_spec_and_status_are_written_apart(self, fake: FakeClientset) -> None:
        fake.load({**DEPLOYMENT, "status": {"replicas": 1}})
        deployments = fake.apps_v1.deployments("default")
        found = deployments.get("web")
        found.status.replicas, found.spec.replicas = 7, 2

        updated = deployments.update(found)
        assert (updated.spec.replicas, updated.status.replicas) == (2, 1)

        updated.status.replicas, updated.spec.replicas = 7, 9
        written = deployments.update_status(updated)
        assert (written.spec.replicas, written.status.replicas) == (2, 7)

    def test_fkc_05_a_deletion_is_not_changed_and_ends_with_the_last_finalizer(self, fake: FakeClientset) -> None:
        held = config_map("held")
        held.metadata.finalizers = ["example.com/hold"]
        fake.load(held)
        maps = fake.core_v1.config_maps("default")
        maps.delete("held")
        found = maps.get("held")
        found.metadata.deletion_timestamp = datetime(2020, 1, 1, tzinfo=UTC)

        with pytest.raises(errors.Invalid, match="deletionTimestamp"):
            maps.update(found)
        found = maps.get("held")
        found.metadata.finalizers = []
        maps.update(found)
        with pytest.raises(errors.NotFound):
            maps.get("held")


def test_fkc_06_a_status_that_a_kind_does_not_have_is_not_found(fake: FakeClientset) -> None:
    fake.load(config_map("a"), GADGETS)
    gadgets = fake.resource("gadgets.example.com", "default")
    found = gadgets.get("one")
    found["status"] = {"size": 2}

    assert gadgets.update_status(found)["status"] == {"size": 2}
    with pytest.raises(errors.NotFound):
        fake.rest_client.put().abs_path("/api/v1/namespaces/default/configmaps/a/status").body(
            b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}'
        ).do()


def test_fkc_07_scales_evictions_and_tokens(fake: FakeClientset) -> None:
    fake.load(DEPLOYMENT, GADGETS, pod("p"))
    deployments, gadgets = fake.apps_v1.deployments("default"), fake.resource("gadgets.example.com", "default")

    for client, name in ((deployments, "web"), (gadgets, "one")):
        scale = client.get_scale(name)
        scale.spec.replicas = 5
        client.update_scale(name, scale)
    fake.core_v1.pods("default").evict("p")

    assert deployments.get("web").spec.replicas == 5
    assert gadgets.get("one")["spec"]["size"] == 5
    assert fake.core_v1.pods("default").list().items == []
    assert fake.core_v1.service_accounts("default").create_token("default").status.token


def test_fkc_08_every_patch_and_apply_with_owners_of_fields(fake: FakeClientset) -> None:
    fake.load(DEPLOYMENT)
    deployments, maps = fake.apps_v1.deployments("default"), fake.core_v1.config_maps("default")
    sidecar = {"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "s"}]}}}}

    deployments.patch("web", [{"op": "replace", "path": "/spec/replicas", "value": 2}], patch_type="json")
    deployments.patch("web", {"metadata": {"labels": {"a": "b"}}}, patch_type="merge")
    found = deployments.patch("web", sidecar, patch_type="strategic")
    maps.apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "1"}}, field_manager="x"
    )

    assert (found.spec.replicas, found.metadata.labels) == (2, {"a": "b"})
    assert {each.name for each in found.spec.template.spec.containers} == {"main", "side"}
    with pytest.raises(errors.Conflict, match='conflict with "x"'):
        maps.apply(config_map("a", k="2"), field_manager="y")
    assert [each.manager for each in maps.get("a").metadata.managed_fields] == ["x"]


class TestWhatOtherFakesGetWrong:
    """FKC-09."""

    def test_fkc_09_one_version_for_all_and_none_for_what_changes_nothing(self, fake: FakeClientset) -> None:
        maps, secrets = fake.core_v1.config_maps("default"), fake.core_v1.secrets("default")
        one = maps.create(config_map("a", k="v"))
        two = secrets.create({"metadata": {"name": "s"}, "stringData": {"k": "v"}})

        assert int(two.metadata.resource_version) == int(one.metadata.resource_version) + 1
        assert two.data == {"k": b"v"}
        same = maps.patch("a", {"data": {"k": "v"}}, patch_type="merge")
        assert same.metadata.resource_version == one.metadata.resource_version

    def test_fkc_09_generations_follow_the_spec_alone(self, fake: FakeClientset) -> None:
        fake.load(DEPLOYMENT)
        deployments = fake.apps_v1.deployments("default")

        labelled = deployments.patch("web", {"metadata": {"labels": {"a": "b"}}}, patch_type="merge")
        scaled = deployments.patch("web", {"spec": {"replicas": 4}}, patch_type="merge")

        assert (labelled.metadata.generation, scaled.metadata.generation) == (1, 2)

    def test_fkc_09_lists_come_in_pages_of_one_version(self, fake: FakeClientset) -> None:
        fake.load([config_map(name, "default", {"t": "y"}) for name in "abc"])
        maps = fake.core_v1.config_maps("default")

        first = maps.list(limit=2, label_selector="t=y")
        maps.create(config_map("d", "default", {"t": "y"}))
        rest = maps.list(limit=2, label_selector="t=y", continue_=first.metadata.continue_)

        assert [each.metadata.name for each in (*first, *rest)] == ["a", "b", "c"]

    def test_fkc_09_watches_select_replay_and_expire(self, fake: FakeClientset) -> None:
        maps = fake.core_v1.config_maps("default")
        start = maps.list().metadata.resource_version
        maps.create(config_map("a", "default", {"t": "y"}))
        maps.create(config_map("b"))
        maps.patch("a", {"metadata": {"labels": {"t": None}}}, patch_type="merge")

        with maps.watch(resource_version=start, label_selector="t=y") as events:
            told = [(event.type, event.object.metadata.name) for _, event in zip(range(2), events, strict=False)]

        assert told == [("ADDED", "a"), ("DELETED", "a")]

    def test_fkc_09_a_dry_run_checks_and_keeps_nothing(self, fake: FakeClientset) -> None:
        maps = fake.core_v1.config_maps("default")

        assert maps.create(config_map("a"), dry_run="All").metadata.uid
        with pytest.raises(errors.Invalid, match="Bad_Name"):
            maps.create(config_map("Bad_Name"), dry_run="All")
        with pytest.raises(errors.NotFound):
            maps.get("a")

    def test_fkc_09_preconditions_hold_and_namespaces_must_be_there(self, fake: FakeClientset) -> None:
        fake.load(config_map("a"))
        maps = fake.core_v1.config_maps("default")

        with pytest.raises(errors.Conflict, match="UID in the precondition"):
            maps.delete("a", preconditions={"uid": "another"})
        with pytest.raises(errors.NotFound, match='namespaces "nowhere"'):
            fake.core_v1.config_maps("nowhere").create(config_map("a", "nowhere"))

    def test_fkc_09_custom_objects_are_pruned_defaulted_and_checked(self, fake: FakeClientset) -> None:
        fake.load(GADGETS)
        gadgets = fake.resource("gadgets.example.com", "default")
        gadget = {"apiVersion": "example.com/v1", "kind": "Gadget", "metadata": {"name": "two"}}

        made = gadgets.create({**gadget, "spec": {"unknown": 1}}, field_validation="Ignore")

        assert made["spec"] == {"size": 3}
        with pytest.raises(errors.Invalid, match=r"spec\.size"):
            gadgets.create({**gadget, "metadata": {"name": "three"}, "spec": {"size": "big"}})
