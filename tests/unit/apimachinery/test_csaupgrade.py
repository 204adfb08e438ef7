from __future__ import annotations

from typing import Any

import pytest

from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.csaupgrade import LAST_APPLIED, upgrade_managed_fields, upgrade_managed_fields_patch

KUBECTL = "kubectl-client-side-apply"


def entry(manager: str, *names: str, operation: str = "Update", version: str = "v1", sub: str = "") -> dict[str, Any]:
    keys = {f"f:{name}": {} for name in names if name != LAST_APPLIED}
    fields: dict[str, Any] = {"f:data": keys} if keys else {}
    if LAST_APPLIED in names:
        fields["f:metadata"] = {"f:annotations": {".": {}, f"f:{LAST_APPLIED}": {}}}
    made = {"manager": manager, "operation": operation, "apiVersion": version, "time": "2026-01-02T03:04:05Z",
            "fieldsType": "FieldsV1", "fieldsV1": fields}  # fmt: skip
    return {**made, "subresource": sub} if sub else made


def applied(*names: str, manager: str = "kubectl", **more: str) -> dict[str, Any]:
    return entry(manager, *names, operation="Apply", **more)


def config_map(*entries: dict[str, Any]) -> dict[str, Any]:
    meta = {"name": "cfg", "resourceVersion": "7", "managedFields": list(entries)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}


def upgraded(*entries: dict[str, Any], old: Any = KUBECTL, **more: str) -> list[dict[str, Any]]:
    found = upgrade_managed_fields(config_map(*entries), old, "kubectl", **more)
    again = upgrade_managed_fields(found, old, "kubectl", **more)
    assert again == found
    assert upgrade_managed_fields_patch(found, old, "kubectl", **more) is None
    return found["metadata"]["managedFields"]


OTHER = entry("controller", "c")


def test_cli_54_the_entry_becomes_one_by_apply():
    assert upgraded(entry(KUBECTL, "a"), OTHER) == [applied("a"), OTHER]


def test_cli_54_fields_join_those_that_the_manager_has_already():
    assert upgraded(applied("b"), OTHER, entry(KUBECTL, "a")) == [applied("a", "b"), OTHER]


def test_cli_54_only_fields_of_the_same_version_are_joined():
    first, second = entry(KUBECTL, "a", version="v1beta1"), entry(KUBECTL, "b")

    assert upgraded(applied("c"), first, second) == [applied("b", "c")]
    assert upgraded(first, second) == [applied("a", version="v1beta1")]


def test_cli_54_several_managers_are_handed_over_at_once():
    old = [entry(KUBECTL, "a"), entry("before-first-apply", "b")]

    assert upgraded(*old, OTHER, old=[KUBECTL, "before-first-apply"]) == [applied("a", "b"), OTHER]


def test_cli_54_nobody_owns_the_annotation_any_more():
    for entries in ([entry(KUBECTL, "a", LAST_APPLIED)], [applied("a"), entry(KUBECTL, LAST_APPLIED)]):
        (found,) = upgraded(*entries)
        assert f"f:{LAST_APPLIED}" not in str(found)
        assert found["fieldsV1"]["f:data"] == {"f:a": {}}


def test_cli_54_a_subresource_is_upgraded_on_its_own():
    main, status = entry(KUBECTL, "a"), entry(KUBECTL, "b", sub="status")

    assert upgraded(main, status) == [applied("a"), status]
    assert upgraded(main, status, subresource="status") == [main, applied("b", sub="status")]


def test_cli_54_without_such_a_manager_nothing_changes():
    assert upgraded(OTHER, applied("a")) == [OTHER, applied("a")]
    assert "managedFields" not in upgrade_managed_fields({"metadata": {"name": "x"}}, KUBECTL, "kubectl")["metadata"]


def test_cli_54_as_a_patch_it_holds_for_this_version_only():
    assert upgrade_managed_fields_patch(config_map(entry(KUBECTL, "a")), {KUBECTL}, "kubectl") == [
        {"op": "replace", "path": "/metadata/managedFields", "value": [applied("a")]},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"},
    ]


def test_cli_54_an_object_stays_of_its_class_and_the_argument_as_it_was():
    obj = ConfigMap.from_dict(config_map(entry(KUBECTL, "a")))
    before = obj.encode()

    found = upgrade_managed_fields(obj, KUBECTL, "kubectl")

    assert isinstance(found, ConfigMap)
    assert [each.operation for each in found.metadata.managed_fields] == ["Apply"]
    assert obj.encode() == before


def test_cli_54_entries_that_cannot_be_read_are_an_error():
    with pytest.raises(ValueError, match="no path element"):
        upgrade_managed_fields(config_map({**entry(KUBECTL), "fieldsV1": {"x": {}}}), KUBECTL, "kubectl")
