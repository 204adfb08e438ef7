"""What of each kind a cache keeps."""

from __future__ import annotations

from typing import Any

import pytest

from k8srt.api.core.v1 import ConfigMap, Node, Pod, Secret
from k8srt.apimachinery.meta import ManagedFieldsEntry, ObjectMeta
from k8srt.controller.cache.scopes import (
    ALL_NAMESPACES,
    KindScope,
    Range,
    Scope,
    Scopes,
    transform_strip_managed_fields,
    unchanged,
)
from k8srt.controller.kinds import Form, info_of, metadata_only
from k8srt.metadata.partial import PartialObjectMetadata


def form(kind: Any) -> Form:
    return Form(info_of(kind), kind)


def one(scopes: Scopes, kind: Any = ConfigMap) -> Range:
    (found,) = scopes.ranges(form(kind)).values()
    return found


def strip(obj: Any) -> Any:
    return obj


def test_cch_08_what_is_not_said_is_inherited_from_near_to_far() -> None:
    scopes = Scopes(
        KindScope(label_selector="l=cache", field_selector="metadata.name=cache", transform=strip, sync_period=5.0),
        {"a": Scope(label_selector="l=default-a", field_selector="metadata.name=default-a"), "b": Scope()},
        {
            Secret: KindScope(
                namespaces={"a": Scope(label_selector="l=own-a"), "c": Scope()},
                field_selector="metadata.name=kind",
                sync_period=7.0,
            ),
            Pod: KindScope(label_selector="", transform=unchanged, bookmarks=False),
        },
    )

    maps = scopes.ranges(form(ConfigMap))
    secrets = scopes.ranges(form(Secret))
    pods = scopes.ranges(form(Pod))

    assert [(name, str(each.labels), str(each.fields)) for name, each in maps.items()] == [
        ("a", "l=default-a", "metadata.name=default-a"),
        ("b", "l=cache", "metadata.name=cache"),
    ]
    assert [(name, str(each.labels), str(each.fields), each.sync_period) for name, each in secrets.items()] == [
        ("a", "l=own-a", "metadata.name=kind", 7.0),
        ("c", "l=cache", "metadata.name=kind", 7.0),
    ]
    assert {(each.labels.empty, each.transform, each.bookmarks) for each in pods.values()} == {(True, unchanged, False)}


def test_cch_09_the_rest_excludes_what_is_listed_and_an_empty_mapping_means_all() -> None:
    scopes = Scopes(KindScope(), ["a", "b"], {Secret: KindScope(namespaces={})})

    rest = Scopes(KindScope(), {"a": Scope(), ALL_NAMESPACES: Scope(), "b": Scope()}).ranges(form(ConfigMap))

    assert list(scopes.ranges(form(ConfigMap))) == ["a", "b"]
    assert list(scopes.ranges(form(Secret))) == [ALL_NAMESPACES]
    assert list(scopes.ranges(form(Node))) == [ALL_NAMESPACES]
    assert rest[ALL_NAMESPACES].asked_fields == "metadata.namespace!=a,metadata.namespace!=b"
    assert rest["a"].asked_fields == ""


def test_cch_09_namespaces_of_what_is_in_none_are_refused() -> None:
    with pytest.raises(ValueError, match="Node are in no namespace"):
        Scopes(KindScope(), None, {Node: KindScope(namespaces=["a"])})
    with pytest.raises(TypeError, match="got the text 'a'"):
        Scopes(KindScope(), "a")


def test_cch_10_a_selector_that_pins_a_namespace_narrows_the_url() -> None:
    pinned = one(Scopes(KindScope(field_selector="metadata.namespace=shop,metadata.name!=x")))

    assert pinned.asked_namespace == "shop"
    assert not pinned.judges_fields
    assert one(Scopes(KindScope(field_selector="status.phase=Running")), Pod).judges_fields
    assert one(Scopes(KindScope(field_selector="metadata.namespace!=shop"))).asked_namespace == ""


def test_cch_08_metadata_only_may_have_a_scope_of_its_own() -> None:
    scopes = Scopes(
        KindScope(),
        None,
        {Secret: KindScope(label_selector="l=whole"), metadata_only(Secret): KindScope(label_selector="l=meta")},
    )
    partial = Form(info_of(Secret), PartialObjectMetadata)

    assert str(one(scopes, Secret).labels) == "l=whole"
    assert [str(each.labels) for each in scopes.ranges(partial).values()] == ["l=meta"]
    assert scopes.kind_of(partial) == metadata_only(Secret)


def test_cch_11_managed_fields_are_stripped_and_nothing_else_is_touched() -> None:
    plain = ConfigMap(metadata=ObjectMeta(name="a"), data={"k": "v"})
    managed = plain.copy()
    managed.metadata.managed_fields = [ManagedFieldsEntry(manager="me")]
    record = plain.to_record()

    assert transform_strip_managed_fields(managed) == plain
    assert transform_strip_managed_fields(ConfigMap.from_record(record)).to_record() == record
