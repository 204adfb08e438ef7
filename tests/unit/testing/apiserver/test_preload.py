"""Clusters that begin with what files and objects say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from k8srt import errors
from k8srt.api.core.v1 import ConfigMap, ConfigMapList
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.testing import APIServer, FakeClientset
from tests.unit.testing.fake.things import WIDGET_DEFINITION, Widget, config_map, pod

WIDGET = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {}}
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: app}]}
"""


def names(fake: FakeClientset) -> list[str]:
    listed = fake.tracker.core_v1.config_maps().list(field_selector="metadata.name!=kube-root-ca.crt")
    return [str(each.metadata.name) for each in listed]


# ---- CLI-36


def test_cli_36_seeding_takes_objects_and_lists_of_every_form(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: f}\n")
    (tmp_path / "g.json").write_text('{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "g"}}')
    (tmp_path / "notes.txt").write_text("not a manifest")
    plain = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b"}}
    typed_list = {"apiVersion": "v1", "kind": "ConfigMapList", "items": [{"metadata": {"name": "d"}}]}

    fake = FakeClientset(
        config_map("a"),
        plain,
        Unstructured({**plain, "metadata": {"name": "c"}}),
        typed_list,
        ConfigMapList([config_map("e")]),
        tmp_path,
        [config_map("h"), [config_map("i")]],
        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: j}}\n",
        str(tmp_path / "f.yaml"),
    )

    assert names(fake) == list("abcdefghij")


def test_cli_36_an_unknown_kind_is_served_under_the_guessed_name() -> None:
    fake = FakeClientset(
        {"apiVersion": "example.com/v1", "kind": "Policy", "metadata": {"name": "p", "namespace": "shop"}},
        {"apiVersion": "example.com/v1", "kind": "Zone", "metadata": {"name": "z"}},
    )

    assert fake.resource("policies.example.com", "shop").get("p").kind == "Policy"
    assert not fake.resource("zones.example.com").info.namespaced


def test_cli_36_a_class_says_how_its_kind_is_served() -> None:
    fake = FakeClientset(Widget.from_dict({"metadata": {"name": "w"}, "spec": {"a": 1}, "status": {"b": 2}}))

    found = fake.resource(Widget, "default").get("w")

    assert (found.spec, found.status) == ({"a": 1}, {"b": 2})


# ---- objects as they are


def test_what_an_object_says_of_itself_is_kept() -> None:
    given = pod("a", uid="u-1", generation=7, finalizers=["example.com/x"], resource_version="99")
    given.status.phase = "Running"

    [stored] = FakeClientset().load(given)

    assert stored.metadata.uid == "u-1"
    assert stored.metadata.generation == 7
    assert stored.metadata.finalizers == ["example.com/x"]
    assert stored.metadata.resource_version != "99"
    assert stored["status"] == {"phase": "Running"}
    assert stored["spec"]["restartPolicy"] == "Always"
    assert stored.metadata.creation_timestamp is not None


def test_an_object_may_be_in_the_middle_of_its_deletion() -> None:
    text = """
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: a
      finalizers: [example.com/x]
      deletionTimestamp: "2026-01-01T00:00:00Z"
    """
    fake = FakeClientset(text)
    maps = fake.core_v1.config_maps("default")
    found = maps.get("a")
    assert found.metadata.deletion_timestamp is not None

    found.metadata.finalizers = []
    maps.update(found)

    with pytest.raises(errors.NotFound):
        maps.get("a")


def test_status_that_says_nothing_is_the_first_status() -> None:
    fake = FakeClientset(pod("a"))

    assert fake.core_v1.pods("default").get("a").status.phase == "Pending"


def test_namespaces_that_are_missing_are_made_and_definitions_come_first() -> None:
    fake = FakeClientset({**WIDGET, "metadata": {"name": "w", "namespace": "shop"}}, WIDGET_DEFINITION, DEPLOYMENT)

    assert fake.core_v1.namespaces().get("shop").status.phase == "Active"
    assert fake.resource(Widget, "shop").get("w").spec == {"size": 3}
    assert fake.apps_v1.deployments("shop").get("web").spec.replicas == 3


def test_objects_without_a_namespace_go_to_the_current_one() -> None:
    fake = FakeClientset({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}, namespace="shop")
    fake.load({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b"}}, namespace="other")

    found = [(each.metadata.namespace, each.metadata.name) for each in fake.core_v1.config_maps().list()]

    assert ("shop", "a") in found
    assert ("other", "b") in found


def test_what_is_there_already_is_replaced() -> None:
    fake = FakeClientset(config_map("a", x="1"))
    before = fake.core_v1.config_maps("default").get("a")
    stream = fake.core_v1.config_maps("default").watch(resource_version=str(before.metadata.resource_version))

    [after] = fake.load(config_map("a", y="2"))

    assert after["data"] == {"y": "2"}
    assert after.metadata.uid == before.metadata.uid
    with stream:
        assert str(next(stream).type) == "MODIFIED"


def test_a_loaded_object_belongs_to_who_loaded_it() -> None:
    fake = FakeClientset(config_map("a", x="1"))

    with pytest.raises(errors.Conflict, match='conflict with "k8srt-load"'):
        fake.core_v1.config_maps("default").apply({"metadata": {"name": "a"}, "data": {"x": "2"}}, field_manager="me")


def test_loading_is_not_recorded_and_asks_no_reactor() -> None:
    fake = FakeClientset(config_map("a"))
    fake.fail("*", "*", errors.InternalError)

    fake.load(config_map("b"))

    assert fake.actions == []
    assert names(fake) == ["a", "b"]


# ---- the embedded server


def test_the_embedded_server_is_loaded_before_it_starts_and_while_it_runs(tmp_path: Path) -> None:
    from k8srt.kubernetes import Clientset

    (tmp_path / "definition.yaml").write_text(WIDGET_DEFINITION)
    server = APIServer()
    server.load(tmp_path, WIDGET)
    with server:
        [loaded] = server.load(config_map("a", x="1"))
        cs = Clientset(server.config)

        assert loaded.metadata.uid == cs.core_v1.config_maps("default").get("a").metadata.uid
        assert cs.resource(Widget, "default").get("w").spec == {"size": 3}


def test_the_embedded_server_serves_nothing_that_is_only_guessed() -> None:
    server = APIServer()
    with pytest.raises(errors.DecodeError, match="load its CustomResourceDefinition before or with it"):
        server.load(WIDGET)
    with server:
        pass


# ---- what cannot be loaded


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("kind: ConfigMap\nmetadata: {name: a}\n", errors.DecodeError, "document 2, line 3: apiVersion: is missing"),
        ("apiVersion: v1\nkind: ConfigMap\n", errors.DecodeError, "metadata: expected a mapping, got nothing"),
        ("a: [b\n", errors.DecodeError, "document 2, line"),
        ("just text\n", errors.DecodeError, "document 2, line 3: expected a mapping"),
        (
            "apiVersion: v1\nkind: Pood\nmetadata: {name: a}\n",
            errors.DecodeError,
            "document 2, line 3: v1 Pood a: the server does not serve Pood in v1; did you mean Pod?",
        ),
        (
            "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: a}\n",
            errors.DecodeError,
            "does not serve CronJob in batch/v1beta1, but in v1",
        ),
        (
            "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: eighty}]}\n",
            errors.DecodeError,
            "v1 Service a: spec.ports[0].port: expected int, got 'eighty'",
        ),
        (
            "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {port: 80}\n",
            errors.DecodeError,
            'unknown field "spec.port"',
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n",
            errors.Invalid,
            'document 2, line 3: v1 Pod a: Pod "a" is invalid: spec.containers: Required value',
        ),
    ],
)
def test_a_broken_document_is_named_with_its_file(
    tmp_path: Path, text: str, error: type[Exception], message: str
) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(f"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: fine}}}}\n---\n{text}")

    with pytest.raises(error, match=re.escape(message)) as caught:
        FakeClientset(file)

    assert str(caught.value).startswith(f"{file}, document 2")


def test_nothing_is_stored_when_one_cannot_be_read(tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\nnonsense\n")
    fake = FakeClientset()

    with pytest.raises(errors.DecodeError):
        fake.load(config_map("b"), file)

    assert names(fake) == []


def test_what_is_no_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        FakeClientset(tmp_path / "nowhere")
    with pytest.raises(TypeError, match="expected objects"):
        FakeClientset(7)
    with pytest.raises(ValueError, match="no objects"):
        FakeClientset(tmp_path)


def test_a_list_that_was_read_can_be_loaded_elsewhere() -> None:
    one = FakeClientset(config_map("a", x="1"), config_map("b"))
    other = FakeClientset(one.core_v1.config_maps("default").list())

    assert names(other) == ["a", "b"]
    assert isinstance(other.core_v1.config_maps("default").get("a"), ConfigMap)
    assert other.core_v1.config_maps("default").get("a").data == {"x": "1"}
