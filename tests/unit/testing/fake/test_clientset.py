"""The cluster behind a fake: what it holds, and that it does not lie."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from k8srt import errors
from k8srt.api.core.v1 import ConfigMap, Namespace
from k8srt.apimachinery.meta import ObjectMeta, OwnerReference
from k8srt.kubernetes import Clientset
from k8srt.rest import End
from k8srt.testing import FakeClientset, FakeClock
from tests.conftest import Pool
from tests.unit.testing.fake.things import WIDGET_DEFINITION, Widget, config_map, pod


def test_it_is_a_clientset_of_its_own(fake: FakeClientset) -> None:
    fake.core_v1.config_maps("default").create(config_map("a"))
    other = FakeClientset()

    assert isinstance(fake, Clientset)
    assert repr(fake) == "<FakeClientset, 1 actions>"
    with pytest.raises(errors.NotFound):
        other.core_v1.config_maps("default").get("a")


def test_it_begins_like_any_cluster(fake: FakeClientset) -> None:
    names = [each.metadata.name for each in fake.core_v1.namespaces().list()]

    assert names == ["default", "kube-node-lease", "kube-public", "kube-system"]
    assert fake.core_v1.service_accounts("default").get("default").metadata.uid


# ---- CLI-31, and CLI-32 as the truth has it


def test_cli_31_what_exists_is_not_created_again_and_what_does_not_is_not_found(fake: FakeClientset) -> None:
    maps = fake.core_v1.config_maps("default")
    maps.create(config_map("a"))

    with pytest.raises(errors.AlreadyExists, match='configmaps "a" already exists'):
        maps.create(config_map("a"))
    for call in (
        lambda: maps.get("b"),
        lambda: maps.update(config_map("b")),
        lambda: maps.patch("b", {}, patch_type="merge"),
        lambda: maps.delete("b"),
    ):
        with pytest.raises(errors.NotFound, match='configmaps "b" not found'):
            call()


def test_cli_31_a_namespace_that_is_not_the_requests_is_refused(fake: FakeClientset) -> None:
    with pytest.raises((errors.BadRequest, ValueError), match="does not match the namespace"):
        fake.rest_client.post().abs_path("/api/v1/namespaces/default/configmaps").body(config_map("a", "shop")).do()


def test_cli_31_objects_go_in_and_out_by_copy_and_lists_are_sorted(fake: FakeClientset) -> None:
    mine = config_map("b", x="1")
    fake.load(mine, config_map("a"), config_map("c", "alpha"))
    mine.data["x"] = "changed"
    fake.core_v1.config_maps("default").get("b").data["x"] = "changed, too"

    listed = fake.core_v1.config_maps().list(field_selector="metadata.name!=kube-root-ca.crt")

    assert [str(each.metadata.name) for each in listed] == ["c", "a", "b"]
    assert listed[2].data == {"x": "1"}


def test_cli_32_versions_uids_and_generations_are_real() -> None:
    fake = FakeClientset()
    pods = fake.core_v1.pods("default")
    first = pods.create(pod("a"))
    first.metadata.labels = {"x": "1"}
    second = pods.update(first)

    assert int(second.metadata.resource_version) > int(first.metadata.resource_version)
    assert second.metadata.uid == first.metadata.uid
    assert second.metadata.generation == 1
    assert pods.list().metadata.resource_version == second.metadata.resource_version
    with pytest.raises(errors.Conflict):
        pods.update(first)


def test_cli_32_names_are_generated_defaults_filled_in_and_nonsense_refused(fake: FakeClientset) -> None:
    made = fake.core_v1.config_maps("default").create({"metadata": {"generateName": "cfg-"}})

    assert len(str(made.metadata.name)) == len("cfg-") + 5
    assert fake.core_v1.pods("default").create(pod("a")).spec.restart_policy == "Always"
    with pytest.raises(errors.Invalid, match=r"spec\.containers: Required value"):
        fake.core_v1.pods("default").create({"metadata": {"name": "b"}, "spec": {"containers": []}})
    with pytest.raises(errors.NotFound, match='namespaces "nowhere" not found'):
        fake.core_v1.config_maps("nowhere").create(config_map("a", "nowhere"))


def test_cli_32_field_selectors_select() -> None:
    fake = FakeClientset([pod("a"), pod("b")])

    assert [each.metadata.name for each in fake.core_v1.pods().list(field_selector="metadata.name=b")] == ["b"]
    with pytest.raises(errors.BadRequest):
        fake.core_v1.pods().list(field_selector="spec.nonsense=1")


def test_cli_32_a_status_is_updated_alone(fake: FakeClientset) -> None:
    pods = fake.core_v1.pods("default")
    changed = pods.create(pod("a", labels={"x": "1"}))
    changed.status.phase = "Running"
    changed.spec.containers[0].image = "other"

    updated = pods.update_status(changed)

    assert (updated.status.phase, updated.spec.containers[0].image) == ("Running", "app")


def test_cli_32_collections_are_deleted_and_finalizers_wait() -> None:
    held = pod("held", finalizers=["example.com/hold"])
    fake = FakeClientset([pod("a"), pod("b"), held])

    fake.core_v1.pods("default").delete_collection(grace_period_seconds=0)

    [left] = fake.core_v1.pods("default").list()
    assert left.metadata.name == "held"
    assert left.metadata.deletion_timestamp is not None
    left.metadata.finalizers = []
    fake.core_v1.pods("default").update(left)
    assert list(fake.core_v1.pods("default").list()) == []


def test_cli_34_every_kind_of_patch() -> None:
    fake = FakeClientset(pod("a", labels={"x": "1"}))
    pods = fake.core_v1.pods("default")

    pods.patch("a", [{"op": "replace", "path": "/metadata/labels/x", "value": "2"}], patch_type="json")
    pods.patch("a", {"metadata": {"labels": {"y": "3"}}}, patch_type="merge")
    strategic = {"spec": {"containers": [{"name": "main", "image": "new"}]}}
    found = pods.patch("a", strategic, patch_type="strategic")

    assert found.metadata.labels == {"x": "2", "y": "3"}
    assert [each.image for each in found.spec.containers] == ["new"]


def test_cli_34_apply_creates_owns_and_conflicts(fake: FakeClientset) -> None:
    maps = fake.core_v1.config_maps("default")
    wanted = {"metadata": {"name": "a"}, "data": {"x": "1"}}

    maps.apply(wanted, field_manager="me")

    with pytest.raises(errors.Conflict, match='conflict with "me"'):
        maps.apply({**wanted, "data": {"x": "2"}}, field_manager="you")
    assert maps.apply({**wanted, "data": {"x": "2"}}, field_manager="you", force=True).data == {"x": "2"}


# ---- watches


def test_cli_33_a_watch_sees_its_namespace_or_all(fake: FakeClientset) -> None:
    fake.load(Namespace(metadata=ObjectMeta(name="shop")))
    since = fake.core_v1.config_maps().list().metadata.resource_version
    here = fake.core_v1.config_maps("shop").watch(resource_version=since, label_selector="app=web")
    all_of_them = fake.core_v1.config_maps().watch(resource_version=since)

    fake.core_v1.config_maps("default").create(config_map("a", labels={"app": "web"}))
    fake.core_v1.config_maps("shop").create(config_map("b", "shop", labels={"app": "web"}))
    fake.core_v1.config_maps("shop").create(config_map("c", "shop"))

    with here, all_of_them:
        assert next(here).object.metadata.name == "b"
        assert [next(all_of_them).object.metadata.name for _ in range(3)] == ["a", "b", "c"]


def test_cli_33_what_is_newer_than_the_version_is_replayed_and_what_is_too_old_is_refused() -> None:
    fake = FakeClientset()
    maps = fake.core_v1.config_maps("default")
    first, second = maps.create(config_map("a")), maps.create(config_map("b"))

    with maps.watch(resource_version=str(first.metadata.resource_version)) as events:
        event = next(events)
    assert (str(event.type), event.object.metadata.name) == ("ADDED", "b")

    fake.compact()
    maps.delete("b")
    with pytest.raises(errors.Expired), maps.watch(resource_version=str(first.metadata.resource_version)) as events:
        next(events)
    assert int(second.metadata.resource_version) > int(first.metadata.resource_version)


def test_a_watch_ends_when_its_time_is_over() -> None:
    clock = FakeClock()
    fake = FakeClientset(clock=clock)
    stream = fake.core_v1.pods().watch_records(timeout_seconds=60)

    clock.advance(61)

    assert list(stream) == []
    assert stream.ended is End.FINISHED


# ---- what controllers of a cluster do


def owned(name: str, owner: ConfigMap) -> ConfigMap:
    made = config_map(name)
    made.metadata.owner_references = [
        OwnerReference(api_version="v1", kind="ConfigMap", name=str(owner.metadata.name), uid=str(owner.metadata.uid))
    ]
    return made


def test_what_has_lost_its_owner_goes_when_that_is_asked_for() -> None:
    fake = FakeClientset(config_map("owner"), garbage_collection=True)
    maps = fake.core_v1.config_maps("default")
    maps.create(owned("child", maps.get("owner")))

    maps.delete("owner", propagation_policy="Foreground")

    assert "child" not in [each.metadata.name for each in maps.list()]


def test_owners_may_be_loaded_behind_what_they_own() -> None:
    owner = config_map("owner")
    owner.metadata.uid = "u-1"
    fake = FakeClientset(owned("child", owner), owner, garbage_collection=True)

    assert fake.core_v1.config_maps("default").get("child").metadata.owner_references[0].uid == "u-1"


def test_without_garbage_collection_what_is_owned_stays() -> None:
    fake = FakeClientset(config_map("owner"))
    maps = fake.core_v1.config_maps("default")
    maps.create(owned("child", maps.get("owner")))

    maps.delete("owner")

    assert maps.get("child").metadata.name == "child"


def test_a_namespace_goes_with_what_is_in_it() -> None:
    fake = FakeClientset(config_map("a", "shop"), pod("b", "shop"))

    fake.core_v1.namespaces().delete("shop")

    with pytest.raises(errors.NotFound):
        fake.core_v1.namespaces().get("shop")
    assert list(fake.core_v1.pods("shop").list()) == []


def test_without_the_namespace_controller_it_only_terminates() -> None:
    fake = FakeClientset(config_map("a", "shop"), namespace_controller=False)

    fake.core_v1.namespaces().delete("shop")

    assert fake.core_v1.namespaces().get("shop").status.phase == "Terminating"


def test_definitions_are_served_at_once_and_go_at_once(fake: FakeClientset) -> None:
    definitions = fake.apiextensions_v1.custom_resource_definitions()
    fake.load(WIDGET_DEFINITION)
    widgets = fake.resource(Widget, "default")
    widgets.create({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {}})
    assert widgets.get("w").spec == {"size": 3}

    definitions.delete("widgets.example.com")

    with pytest.raises(errors.NotFound):
        widgets.list()
    assert list(definitions.list()) == []


# ---- determinism


def test_the_same_seed_gives_the_same_names_and_uids() -> None:
    def made(seed: int) -> ConfigMap:
        return FakeClientset(seed=seed).core_v1.config_maps("default").create({"metadata": {"generateName": "x-"}})

    one, same, other = made(1), made(1), made(2)

    assert (one.metadata.name, one.metadata.uid) == (same.metadata.name, same.metadata.uid)
    assert one.metadata.uid != other.metadata.uid


def test_its_clock_gives_the_times() -> None:
    born = datetime(2030, 5, 1, tzinfo=UTC)
    clock = FakeClock(time=born)
    maps = FakeClientset(clock=clock).core_v1.config_maps("default")

    first = maps.create(config_map("a"))
    clock.advance(3600)

    assert first.metadata.creation_timestamp == born
    assert maps.create(config_map("b")).metadata.creation_timestamp == born + timedelta(hours=1)


# ---- life


def test_the_rest_of_the_world_is_not_recorded(fake: FakeClientset) -> None:
    fake.fail("*", "*", errors.InternalError)

    fake.tracker.core_v1.config_maps("default").create(config_map("a"))

    assert fake.actions == []
    assert fake.tracker.core_v1.config_maps("default").get("a").metadata.name == "a"


def test_closing_ends_watches_and_refuses_requests(pool: Pool) -> None:
    fake = FakeClientset()
    stream = fake.core_v1.pods().watch_records()
    reading = pool.submit(lambda: list(stream))

    fake.close()
    fake.close()

    assert reading.result(timeout=10) == []
    with pytest.raises(errors.TransportError, match="closed"):
        fake.core_v1.pods().list()


def test_there_are_no_threads() -> None:
    before = threading.active_count()
    with FakeClientset(pod("a"), garbage_collection=True) as fake:
        fake.core_v1.pods().list()

        assert threading.active_count() == before


def test_it_is_used_by_many_threads_at_once(fake: FakeClientset, pool: Pool) -> None:
    def write(number: int) -> None:
        for index in range(20):
            fake.core_v1.config_maps("default").create(config_map(f"m-{number}-{index}"))

    for done in [pool.submit(write, number) for number in range(4)]:
        done.result(timeout=30)

    assert len(fake.actions.where("create")) == 80
    versions = [each.metadata.resource_version for each in fake.tracker.core_v1.config_maps("default").list()]
    assert len(set(versions)) == len(versions) >= 80
