"""Server-side apply and field ownership: first the rules, then what was recorded from a real server."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import ConfigMap, Service
from k8srt.apimachinery.patch import apply_merge_patch
from k8srt.apimachinery.structure import Structure, structure_of, structure_of_schema
from k8srt.testing import FakeClientset
from k8srt.testing.apiserver.managedfields import ApplyConflict, ApplyError, apply, track_update
from k8srt.testing.apiserver.ssa_scale import parent_managers, scale_managers

JSON = dict[str, Any]
EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
CM = structure_of(ConfigMap)


def config_map(data: JSON | None = None, **meta: Any) -> JSON:
    made: JSON = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", **meta}}
    return made if data is None else {**made, "data": data}


def stored(obj: JSON) -> JSON:
    """What a server makes of the object it keeps."""
    return {**obj, "metadata": {**obj["metadata"], "uid": "u", "resourceVersion": "1"}}


def applied(
    live: JSON | None, data: JSON | None, manager: str = "m1", force: bool = False, now: datetime = EARLY
) -> JSON:
    return stored(apply(live, config_map(data), CM, manager, force, "v1", now))


def updated(live: JSON | None, data: JSON, manager: str = "u1", now: datetime = EARLY, **meta: Any) -> JSON:
    new = config_map(data, **meta) if live is None else {**live, "data": data, "metadata": {**live["metadata"], **meta}}
    return stored(track_update(live, new, CM, manager, "v1", now))


def owners(obj: JSON) -> dict[tuple[str, str], Any]:
    entries = obj["metadata"].get("managedFields", [])
    return {(entry["manager"], entry["operation"]): entry["fieldsV1"] for entry in entries}


def times(obj: JSON) -> dict[str, str | None]:
    return {entry["manager"]: entry.get("time") for entry in obj["metadata"].get("managedFields", [])}


# ---- apply


def test_mach_45_an_applier_owns_what_it_applies():
    made = applied(None, {"k": "1"})

    assert made["metadata"]["managedFields"] == [
        {
            "manager": "m1",
            "operation": "Apply",
            "apiVersion": "v1",
            "time": "2026-01-01T00:00:00Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:data": {"f:k": {}}},
        }
    ]


def test_mach_45_what_is_not_applied_any_more_is_removed():
    live = applied(applied(None, {"k": "1", "j": "2"}), {"k": "1"})

    assert live["data"] == {"k": "1"}
    assert owners(live) == {("m1", "Apply"): {"f:data": {"f:k": {}}}}


def test_mach_45_applying_nothing_gives_everything_up():
    live = applied(applied(None, {"k": "1"}), None)

    assert "data" not in live
    assert "managedFields" not in live["metadata"]


def test_mach_45_a_conflict_names_manager_and_field():
    live = applied(None, {"k": "1"})

    with pytest.raises(ApplyConflict) as caught:
        applied(live, {"k": "2"}, "m2")

    assert str(caught.value) == 'Apply failed with 1 conflict: conflict with "m1": .data.k'
    assert caught.value.causes == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "m1"', "field": ".data.k"}
    ]


def test_mach_45_several_conflicts_are_listed_by_manager():
    live = updated(applied(None, {"a": "1", "b": "1"}), {"a": "1", "b": "1", "c": "1"})

    with pytest.raises(ApplyConflict) as caught:
        applied(live, {"a": "2", "b": "2", "c": "2"}, "m2")

    assert str(caught.value) == (
        'Apply failed with 3 conflicts: conflicts with "m1":\n- .data.a\n- .data.b\n'
        'conflicts with "u1" using v1:\n- .data.c'
    )


def test_mach_45_force_takes_over():
    live = applied(applied(None, {"k": "1", "j": "1"}), {"k": "2"}, "m2", force=True)

    assert live["data"] == {"k": "2", "j": "1"}
    assert owners(live) == {("m1", "Apply"): {"f:data": {"f:j": {}}}, ("m2", "Apply"): {"f:data": {"f:k": {}}}}


def test_a_shared_field_stays_until_its_last_owner_drops_it():
    shared = applied(applied(None, {"k": "1"}), {"k": "1"}, "m2")

    once = applied(shared, {"x": "y"}, "m1")
    twice = applied(once, {"z": "y"}, "m2")

    assert once["data"] == {"k": "1", "x": "y"}
    assert twice["data"] == {"x": "y", "z": "y"}


def test_subtle_9_a_new_owner_without_a_change_has_no_time():
    live = applied(None, {"k": "1"})

    shared = applied(live, {"k": "1"}, "m2", now=LATE)

    assert times(shared) == {"m1": "2026-01-01T00:00:00Z", "m2": None}


def test_subtle_1_applying_the_same_again_changes_nothing():
    live = applied(None, {"k": "1"})

    assert applied(live, {"k": "1"}, now=LATE) == live


def test_what_was_there_before_the_first_apply_belongs_to_nobody_known():
    live = stored(config_map({"old": "1"}))

    result = applied(live, {"k": "1"})

    assert owners(result) == {
        ("m1", "Apply"): {"f:data": {"f:k": {}}},
        ("before-first-apply", "Update"): {"f:data": {".": {}, "f:old": {}}},
    }


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (
            {"what": 1},
            500,
            "failed to create typed patch object (/a; /v1, Kind=ConfigMap): .what: field not declared in schema",
        ),
        ({"data": {"k": 1}}, 500, ".data.k: expected string, got &value.valueUnstructured{Value:1}"),
        ({"data": [1]}, 500, ".data: expected map, got "),
        (
            {"metadata": {"name": "a", "finalizers": ["x", "x"]}},
            500,
            '.metadata.finalizers: duplicate entries for key [="x"]',
        ),
        ({"metadata": {"name": "a", "ownerReferences": [{"name": "x"}]}}, 500, 'omits key field "uid"'),
        ({"metadata": {"name": "a", "managedFields": []}}, 400, "metadata.managedFields must be nil"),
    ],
)
def test_subtle_8_what_cannot_be_applied(change, code, message):
    with pytest.raises(ApplyError) as caught:
        apply(None, {**config_map(), **change}, CM, "m", False, "v1", EARLY)

    assert caught.value.code == code
    assert message in str(caught.value)


def test_keyed_lists_keep_both_orders():
    service = structure_of(Service)

    def ports(live: JSON | None, manager: str, *numbers: int) -> JSON:
        config = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}}
        config["spec"] = {"ports": [{"port": number} for number in numbers]}
        return stored(apply(live, config, service, manager, False, "v1", EARLY))

    live = ports(ports(None, "m1", 1, 2), "m2", 3, 1)

    assert [port["port"] for port in live["spec"]["ports"]] == [3, 1, 2]
    assert owners(live)["m2", "Apply"] == {
        "f:spec": {"f:ports": {f'k:{{"port":{n},"protocol":"TCP"}}': {".": {}, "f:port": {}} for n in (1, 3)}}
    }


class Renamed:
    """Versions that call one field by two names."""

    NAMES = {"x/v1": "size", "x/v2": "replicas"}

    def convert(self, document: JSON, from_version: str, to_version: str) -> JSON | None:
        if to_version not in self.NAMES:
            return None
        old, new = self.NAMES[from_version], self.NAMES[to_version]
        spec = {new if key == old else key: value for key, value in (document.get("spec") or {}).items()}
        return {**document, "apiVersion": to_version, **({"spec": spec} if spec else {})}

    def structure(self, api_version: str) -> Structure:
        fields = {self.NAMES[api_version]: {"type": "integer"}, "other": {"type": "string"}}
        return structure_of_schema({"type": "object", "properties": {"spec": {"type": "object", "properties": fields}}})


def in_version(live: JSON | None, version: str, manager: str, force: bool = False, **spec: Any) -> JSON:
    config = {"apiVersion": version, "kind": "X", "metadata": {"name": "x"}, "spec": spec}
    versions = Renamed()
    seen = versions.convert(live, live["apiVersion"], version) if live is not None else None
    result = apply(seen, config, versions.structure(version), manager, force, version, EARLY, versions=versions)
    return stored(result)


def test_managers_own_fields_of_the_version_they_wrote():
    live = in_version(None, "x/v1", "m1", size=1, other="a")

    with pytest.raises(ApplyConflict):
        in_version(live, "x/v2", "m2", replicas=2)
    taken = in_version(live, "x/v2", "m2", force=True, replicas=2)

    assert taken["spec"] == {"replicas": 2, "other": "a"}
    assert owners(taken) == {
        ("m1", "Apply"): {"f:spec": {"f:other": {}}},
        ("m2", "Apply"): {"f:spec": {"f:replicas": {}}},
    }


def test_an_applier_may_change_its_version():
    live = in_version(None, "x/v1", "m1", size=1, other="a")

    moved = in_version(live, "x/v2", "m1", replicas=1)

    assert moved["spec"] == {"replicas": 1}
    assert owners(moved) == {("m1", "Apply"): {"f:spec": {"f:replicas": {}}}}


# ---- updates


def test_an_update_owns_what_it_changes_and_takes_it_from_others():
    live = updated(updated(None, {"k": "1", "j": "1"}), {"k": "2", "j": "1"}, "u2")

    assert owners(live) == {
        ("u1", "Update"): {"f:data": {".": {}, "f:j": {}}},
        ("u2", "Update"): {"f:data": {"f:k": {}}},
    }


def test_subtle_1_an_update_that_changes_nothing_leaves_ownership_alone():
    live = updated(None, {"k": "1"})

    assert updated(live, {"k": "1"}, "u2", now=LATE) == live


def test_what_vanishes_belongs_to_nobody():
    live = updated(applied(None, {"k": "1", "j": "1"}), {"j": "1"})

    assert owners(live) == {("m1", "Apply"): {"f:data": {"f:j": {}}}}


def test_names_and_what_the_server_sets_are_never_owned():
    live = updated(None, {"k": "1"}, uid="x", labels={"a": "b"})

    assert owners(live) == {
        ("u1", "Update"): {"f:data": {".": {}, "f:k": {}}, "f:metadata": {"f:labels": {".": {}, "f:a": {}}}}
    }


def test_structs_that_go_always_has_are_no_change_themselves():
    spec = {"selector": {}, "strategy": {"type": "Recreate"}, "template": {"spec": {"containers": [{"name": "m"}]}}}
    new = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": spec}

    live = track_update(None, new, structure_of(Deployment), "u1", "apps/v1", EARLY)

    assert owners(live)["u1", "Update"] == {
        "f:spec": {
            "f:selector": {},
            "f:strategy": {"f:type": {}},
            "f:template": {"f:spec": {"f:containers": {'k:{"name":"m"}': {".": {}, "f:name": {}, "f:resources": {}}}}},
        }
    }


def test_subtle_10_a_client_may_reset_ownership_but_not_forge_it():
    live = updated(None, {"k": "1"})

    reset = updated(live, {"k": "1"}, managedFields=[{}])
    forged = updated(live, {"k": "1"}, managedFields=[{"manager": "x", "operation": "Odd"}])

    assert "managedFields" not in reset["metadata"]
    assert "managedFields" not in updated(reset, {"k": "2"})["metadata"]
    assert forged == live


def test_a_client_may_rewrite_ownership():
    live = updated(None, {"k": "1"})
    moved = [{**live["metadata"]["managedFields"][0], "manager": "other"}]

    assert owners(updated(live, {"k": "1"}, managedFields=moved)).keys() == {("other", "Update")}


def test_through_a_subresource_ownership_cannot_be_rewritten():
    live = updated(None, {"k": "1"})
    new = {**live, "metadata": {**live["metadata"], "managedFields": [{}]}}

    assert track_update(live, new, CM, "u2", "v1", LATE, "status") == live


def test_reset_fields_belong_to_nobody():
    crd = structure_of_schema({"type": "object", "x-kubernetes-preserve-unknown-fields": True})
    new = {"apiVersion": "x/v1", "kind": "X", "metadata": {"name": "x"}, "spec": {"a": 1}, "status": {"b": 1}}

    live = track_update(None, new, crd, "u", "x/v1", EARLY, reset_fields=[("status",)])

    assert owners(live) == {("u", "Update"): {"f:spec": {".": {}, "f:a": {}}}}


def test_the_oldest_updaters_are_folded_into_one():
    live = updated(None, {"k0": "x"}, "u0")
    for number in range(1, 13):
        moment = datetime(2026, 1, 1, 0, number, tzinfo=UTC)
        live = updated(live, {**live["data"], f"k{number}": "x"}, f"u{number}", now=moment)

    assert len(owners(live)) == 10
    assert owners(live)["ancient-changes", "Update"] == {"f:data": {".": {}, **{f"f:k{n}": {} for n in range(4)}}}


def test_entries_are_sorted_appliers_first_then_by_time():
    live = updated(None, {"k": "1"}, "b", now=LATE)
    live = updated(live, {"k": "1", "j": "1"}, "a", now=LATE)
    live = updated(live, {"k": "1", "j": "1", "i": "1"}, "z", now=EARLY)
    live = applied(live, {"h": "1"}, "y", now=LATE)

    assert [entry["manager"] for entry in live["metadata"]["managedFields"]] == ["y", "z", "a", "b"]


def test_nothing_is_changed_in_place():
    live = updated(None, {"k": "1"})
    config, before = config_map({"k": "1", "j": "2"}), copy.deepcopy(live)
    asked = copy.deepcopy(config)

    apply(live, config, CM, "m", False, "v1", LATE)

    assert (live, config) == (before, asked)


# ---- kubectl from client-side to server-side apply


def test_kubectl_takes_over_what_it_had_applied_from_the_client():
    last = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "1"}})
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": last}
    live = updated(None, {"k": "1"}, "kubectl-client-side-apply", annotations=annotations)

    taken = applied(live, {"k": "2"}, "kubectl")

    assert taken["data"] == {"k": "2"}
    text = taken["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"]
    assert json.loads(text)["data"] == {"k": "2"}
    with pytest.raises(ApplyConflict):
        applied(live, {"k": "2"}, "somebody")


# ---- scale


def test_subtle_9_replicas_move_between_an_object_and_its_scale():
    paths = {"apps/v1": ("f:spec", "f:replicas")}
    both = {"f:spec": {"f:replicas": {}, "f:selector": {}}}
    entry = {"manager": "m1", "operation": "Apply", "apiVersion": "apps/v1", "fieldsType": "FieldsV1", "fieldsV1": both}

    inside = scale_managers([entry], paths)
    stolen = [{**inside[0], "manager": "hpa", "operation": "Update", "subresource": "scale"}]
    after = parent_managers([entry], stolen, paths, "apps/v1")

    assert inside[0]["apiVersion"] == "autoscaling/v1"
    assert inside[0]["fieldsV1"] == {"f:spec": {"f:replicas": {}}}
    assert after == [
        {**entry, "fieldsV1": {"f:spec": {"f:selector": {}}}},
        {
            "manager": "hpa",
            "operation": "Update",
            "apiVersion": "apps/v1",
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:spec": {"f:replicas": {}}},
            "subresource": "scale",
        },
    ]
    assert parent_managers([entry], inside, paths, "apps/v1") == [entry]


# ---- recordings


def recorded(shared: Any, name: str) -> list[tuple[JSON, JSON]]:
    yaml = pytest.importorskip("yaml")
    scenario = yaml.safe_load((shared / f"conformance/scenarios/{name}.yaml").read_text())
    golden = json.loads((shared / f"conformance/golden/{name}.json").read_text())
    group = "${uniq}.example.com"
    steps = json.loads(json.dumps(scenario["steps"]).replace("${group}", group))
    return list(zip(steps, golden["steps"], strict=True))


def comparable(entries: list[JSON] | None) -> list[JSON]:
    shown = [{**entry, "time": "<time>"} if entry.get("time") else entry for entry in entries or []]
    return sorted(shown, key=lambda entry: (entry["operation"], entry["manager"], entry["apiVersion"]))


def structure_for(step: JSON, crd: Structure | None) -> Structure:
    kinds = {"configmaps": ConfigMap, "services": Service}
    return crd or structure_of(next(kind for name, kind in kinds.items() if name in step["request"]["path"]))


@pytest.mark.parametrize(
    "name",
    [
        "crd-managed-fields",
        "crd-ssa-lists",
        "patch-managed-fields",
        "ssa-basic",
        "ssa-shared-removal",
        "ssa-update-then-apply-same-manager",
    ],
)
def test_ownership_is_what_a_real_server_answers(shared, name):
    crd, live = None, None
    for step, golden in recorded(shared, name):
        request, body = step["request"], golden.get("body", {})
        if body.get("kind") == "CustomResourceDefinition":
            crd = structure_of_schema(body["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
        if golden["status"] >= 300 or request["method"] == "GET" or "managedFields" not in json.dumps(golden):
            continue
        structure = structure_for(step, crd)
        media = (request.get("headers") or {}).get("Content-Type", "")
        query, sent = request.get("query") or {}, request["body"]
        subresource = "status" if request["path"].endswith("/status") else ""
        version = (live or sent)["apiVersion"]
        manager = query.get("fieldManager", "conformance")
        if "apply" in media:
            result = apply(live, sent, structure, manager, query.get("force") == "true", version, EARLY, subresource)
        else:
            new = sent if live is None else apply_merge_patch(live, sent)
            result = track_update(live, new, structure, manager, version, EARLY, subresource)

        found = comparable(result["metadata"].get("managedFields"))
        assert found == comparable(body["metadata"].get("managedFields")), step["id"]
        live = body


def test_who_writes_through_scale_has_no_time_and_comes_first():
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": template}
    deployments = FakeClientset().apps_v1.deployments("default")
    deployments.create({"metadata": {"name": "d"}, "spec": spec}, field_manager="early")

    deployments.patch("d", {"spec": {"replicas": 2}}, patch_type="merge", subresource="scale", field_manager="late")

    managers = deployments.get("d").metadata.managed_fields
    assert [(each.manager, each.subresource, each.time is None) for each in managers] == [
        ("late", "scale", True),
        ("early", None, False),
    ]
