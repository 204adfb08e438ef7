"""One rule of names for all models: total, and reversible. Contract: USR-28."""

from __future__ import annotations

import importlib

import pytest

from k8srt.api import _index
from k8srt.api.core.v1 import Container, Pod, PodSpec
from k8srt.apimachinery import meta, yamlio
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.model import Struct, fields_of
from k8srt.apimachinery.object import Object, parts_of
from k8srt.codegen.naming import field_name, snake_case

MODELS = [
    cls
    for module in (meta, *(importlib.import_module(name) for name in sorted(set(_index.GROUP_VERSIONS.values()))))
    for cls in vars(module).values()
    if isinstance(cls, type) and cls.__module__ == module.__name__ and issubclass(cls, (Struct, Object))
]


def names(cls: type) -> list[tuple[str, str]]:
    """Python's name and the API's of each field."""
    found = fields_of(cls) if issubclass(cls, Struct) else parts_of(cls)
    return [(name, info.wire) for name, info in found.items() if not name.startswith("_")]


def test_usr_28_every_name_follows_from_the_one_of_the_api_and_no_two_are_the_same():
    assert len(MODELS) > 600
    for cls in MODELS:
        pairs = names(cls)
        assert len({name for name, _ in pairs}) == len({wire for _, wire in pairs}) == len(pairs)
        for name, wire in pairs:
            assert name.rstrip("_") == snake_case(wire).strip("_"), (cls, wire)


@pytest.mark.parametrize(
    ("wire", "name"),
    [("podIP", "pod_ip"), ("hostIPs", "host_ips"), ("clusterIPs", "cluster_ips"), ("fsGroup", "fs_group"),
     ("continue", "continue_"), ("from", "from_"), ("externalTrafficPolicy", "external_traffic_policy")],
)  # fmt: skip
def test_usr_28_what_a_person_expects_of_it(wire, name):
    assert field_name(wire) == name


def test_usr_28_plain_data_and_yaml_are_valid_manifests():
    pod = Pod(
        metadata=ObjectMeta(name="web", labels={"app": "web", "on": "yes", "version": "1.10"}),
        spec=PodSpec(service_account_name="robot", containers=[Container(name="c", image_pull_policy="Always")]),
    )

    plain = pod.to_dict()

    assert plain == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "labels": {"app": "web", "on": "yes", "version": "1.10"}},
        "spec": {"serviceAccountName": "robot", "containers": [{"name": "c", "imagePullPolicy": "Always"}]},
    }
    assert yamlio.load(pod.to_yaml()) == plain
    assert Pod.from_dict(plain) == Pod.from_yaml(pod.to_yaml()) == pod
