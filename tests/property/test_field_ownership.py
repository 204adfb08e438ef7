"""Field ownership: whatever managers applied, each can read its own fields back, and applying them changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from k8srt.api.apps.v1 import Deployment
from k8srt.apimachinery.managedfields import extract_apply
from k8srt.apimachinery.structure import structure_of
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.testing.apiserver import managedfields

STRUCTURE = structure_of(Deployment)
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
VALUES = st.sampled_from(["1", "2"])


def keyed(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    items = st.fixed_dictionaries({"name": st.sampled_from("abc")}, optional=fields)
    return st.lists(items, min_size=1, max_size=3, unique_by=lambda each: each["name"])


PORTS = st.lists(
    st.fixed_dictionaries(
        {"containerPort": st.integers(80, 82)}, optional={"protocol": st.sampled_from(["TCP", "UDP"])}
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda each: (each["containerPort"], each.get("protocol", "TCP")),
)
CONTAINERS = keyed(
    image=VALUES,
    args=st.lists(VALUES, min_size=1, max_size=2),
    env=keyed(value=VALUES),
    ports=PORTS,
    resources=st.fixed_dictionaries({"limits": st.dictionaries(st.just("cpu"), VALUES, min_size=1)}),
)
LABELS = st.dictionaries(st.sampled_from(["l", "m/n"]), VALUES, min_size=1)
# No empty structs: a server has them anyway, and what is tested against here is only the part of it that merges.
PODS = st.fixed_dictionaries({}, optional={"containers": CONTAINERS, "nodeSelector": LABELS}).filter(bool)
TEMPLATES = st.fixed_dictionaries(
    {}, optional={"metadata": st.fixed_dictionaries({"labels": LABELS}), "spec": PODS}
).filter(bool)
CONFIGS = st.builds(
    lambda meta, spec: {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", **meta},
        **({"spec": spec} if spec else {}),
    },
    st.fixed_dictionaries(
        {},
        optional={
            "labels": LABELS,
            "finalizers": st.lists(st.sampled_from(["f/1", "f/2"]), min_size=1, unique=True),
        },
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "replicas": st.integers(0, 3),
            "selector": st.fixed_dictionaries({"matchLabels": LABELS}),
            "strategy": st.sampled_from([{"type": "Recreate"}, {"rollingUpdate": {"maxSurge": 1}}]),
            "template": TEMPLATES,
        },
    ),
)


def applied(live: dict[str, Any] | None, config: dict[str, Any], manager: str, force: bool = True) -> dict[str, Any]:
    return managedfields.apply(live, config, STRUCTURE, manager, force, "apps/v1", NOW)


@given(CONFIGS)
def test_cli_11_what_was_applied_alone_is_read_back_as_it_was(config):
    live = applied(None, config, "me")

    assert extract_apply(live, "me") == config
    assert extract_apply(Deployment.from_dict(live), "me").to_dict() == config


@given(CONFIGS, CONFIGS, CONFIGS)
def test_cli_11_applying_what_was_read_back_changes_nothing(first, second, third):
    live = applied(applied(applied(None, first, "a"), second, "b"), third, "c")

    for manager in "abc":
        typed = extract_apply(Deployment.from_dict(live), manager).to_dict()
        plain = extract_apply(Unstructured(live), manager).to_dict()
        assert applied(live, typed, manager, force=False) == live
        assert typed == plain
