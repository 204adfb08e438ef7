"""Whatever stands in the place of a value: it is read and sent back as it came, or named; nothing else is raised."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from k8srt.api.apps.v1 import StatefulSet
from k8srt.errors import WrongValue

DOCUMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "StatefulSet",
    "metadata": {
        "name": "web",
        "namespace": "shop",
        "creationTimestamp": "2026-01-02T03:04:05Z",
        "labels": {"app": "web"},
        "finalizers": ["a", "b"],
        "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "u", "controller": True}],
    },
    "spec": {
        "replicas": 3,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "c",
                        "args": ["x"],
                        "ports": [{"containerPort": 80}],
                        "resources": {"limits": {"cpu": "1"}},
                        "livenessProbe": {"httpGet": {"port": "web", "path": "/"}},
                    }
                ],
                "volumes": [{"name": "v", "emptyDir": {}}],
            }
        },
        "volumeClaimTemplates": [{"metadata": {"name": "d"}, "spec": {"accessModes": ["ReadWriteOnce"]}}],
    },
    "status": {"conditions": [{"type": "Ready", "lastTransitionTime": "2026-01-02T03:04:05Z", "status": "True"}]},
}
ODD = st.sampled_from(
    [
        None,
        "",
        "x",
        "2026-01-02",
        "2026-01-02T03:04:05.5",
        0,
        -1,
        2**70,
        1.5,
        True,
        [],
        {},
        [None],
        {"a": None},
        [[]],
        "ü",
    ]
)


def places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to everything in a document, without its kind and what a record is known by."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for step, inner in steps for found in ((*way, step), *places(inner, (*way, step)))]


PLACES = [
    place
    for place in places(DOCUMENT)
    if place[0] not in ("apiVersion", "kind") and place not in (("metadata",), ("metadata", "name"))
    and place[:2] not in (("metadata", "namespace"), ("metadata", "labels"))
]  # fmt: skip


def with_odd(place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    document = copy.deepcopy(DOCUMENT)
    inner: Any = document
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    return document


def touch(obj: StatefulSet) -> None:
    for part in (obj.metadata, obj.spec, obj.status):
        assert part is not None
    for claim in obj.spec.volume_claim_templates or ():
        assert claim.spec is not None


def refused(call: Callable[[], object]) -> bool:
    """Whether it raises an error that names places."""
    try:
        call()
    except WrongValue as err:
        return bool(err.paths)
    return False


@given(st.sampled_from(PLACES), ODD)
def test_usr_26_what_came_is_read_and_sent_back_or_named(place, value):
    document = with_odd(place, value)
    obj = StatefulSet.decode(json.dumps(document))
    if refused(lambda: touch(obj)):
        return

    assert obj.to_dict() == document

    obj.metadata.annotations = {"seen": "yes"}
    obj.spec.replicas = 7
    sent = obj.to_dict()
    assert (sent["metadata"]["annotations"], sent["spec"]["replicas"]) == ({"seen": "yes"}, 7)


@given(st.sampled_from(PLACES), ODD)
def test_plain_data_is_accepted_as_it_is_or_named(place, value):
    document = with_odd(place, value)
    if refused(lambda: StatefulSet.from_dict(document)):
        return

    obj = StatefulSet.from_dict(document)

    touch(obj)
    assert obj.to_dict() == {key: part for key, part in document.items() if part is not None}


@given(st.sampled_from(PLACES), ODD)
def test_what_was_made_here_is_encoded_or_named(place, value):
    document = with_odd(place, value)
    obj = StatefulSet()
    obj.metadata, obj.spec, obj.status = (document.get(part) for part in ("metadata", "spec", "status"))

    assert refused(obj.encode) or json.loads(obj.encode())["kind"] == "StatefulSet"
