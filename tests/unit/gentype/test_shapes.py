"""Every resource has a client with exactly the verbs it has."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest

from k8srt.apimachinery.object import Object
from k8srt.codegen import shapes as table
from k8srt.gentype import ResourceClient
from k8srt.gentype.requests import ResourceRequests
from k8srt.kubernetes import Clientset
from k8srt.kubernetes.typed._index import GROUPS
from k8srt.rest import Config

METHODS = {
    "get": {"get"},
    "list": {"list", "list_records", "iterate"},
    "watch": {"watch", "watch_records", "wait"},
    "create": {"create"},
    "update": {"update"},
    "patch": {"patch", "apply", "label", "annotate"},
    "delete": {"delete", "delete_record"},
    "deletecollection": {"delete_collection"},
    "status": {"update_status", "patch_status", "apply_status"},
    "scale": {"get_scale", "update_scale", "patch_scale", "apply_scale"},
    "approval": {"update_approval"},
    "binding": {"bind"},
    "ephemeralcontainers": {"update_ephemeral_containers"},
    "eviction": {"evict"},
    "finalize": {"finalize"},
    "log": {"logs", "get_logs"},
    "proxy": {"proxy", "proxy_get"},
    "resize": {"update_resize"},
    "token": {"create_token"},
    "attach": set(),
    "exec": set(),
    "portforward": set(),
}
EVENTS = {"create_with_event_namespace", "update_with_event_namespace", "patch_with_event_namespace"}
MORE = {"v1/Event": EVENTS | {"search", "get_field_selector"}, "events.k8s.io/v1/Event": EVENTS}
ALWAYS = {"info", "namespace", "object_class"}


def typed_clients() -> Iterator[ResourceRequests[Object]]:
    cs = Clientset(Config(host="http://fake"))
    for attribute in GROUPS:
        group = getattr(cs, attribute)
        for name in vars(type(group)):
            if not name.startswith("_"):
                yield getattr(group, name)()


CLIENTS = {f"{client.info.api_version}/{client.info.resource}": client for client in typed_clients()}


@pytest.mark.parametrize("resource", CLIENTS)
def test_cli_02_cli_07_cli_08_a_client_has_the_verbs_of_its_resource_and_no_other(resource: str) -> None:
    client = CLIENTS[resource]
    info = client.info

    served = [*info.verbs, *(sub.name for sub in info.subresources)]
    expected = set().union(
        *(METHODS[name] for name in served), MORE.get(f"{info.api_version}/{info.kind}", set()), ALWAYS
    )

    assert {name for name in dir(client) if not name.startswith("_")} == expected
    assert all(hasattr(client, name) for name in expected)
    missing = set().union(*METHODS.values(), EVENTS) - expected
    assert not any(hasattr(client, name) for name in missing)


def test_every_resource_that_is_served_has_a_client() -> None:
    from k8srt.api._index import GROUP_VERSIONS

    modules = [importlib.import_module(name) for name in GROUP_VERSIONS.values()]
    classes = (value for module in modules for value in vars(module).values() if isinstance(value, type))
    infos = (cls.__info__ for cls in classes if issubclass(cls, Object) and cls.__info__ is not None)

    assert {f"{info.api_version}/{info.resource}" for info in infos if info.resource} == set(CLIENTS)


def test_the_client_of_any_resource_has_every_verb() -> None:
    assert set().union(*METHODS.values()) | ALWAYS == {name for name in dir(ResourceClient) if not name.startswith("_")}


def test_the_generator_knows_every_subresource() -> None:
    served = {sub.name for client in CLIENTS.values() for sub in client.info.subresources}

    assert served == set(table.SUBRESOURCES) | table.STREAMS


def test_clients_are_small_and_cannot_be_given_more_attributes() -> None:
    for client in CLIENTS.values():
        assert not hasattr(client, "__dict__")
        with pytest.raises(AttributeError):
            client.extra = 1  # type: ignore[attr-defined]


def test_the_client_of_another_namespace_is_of_the_same_class() -> None:
    pods = CLIENTS["v1/pods"]

    other = pods.namespace("other")

    assert type(other) is type(pods)
    assert repr(other) == "<PodClient of pods v1 in other>"
    with pytest.raises(ValueError, match="nodes are not in namespaces"):
        CLIENTS["v1/nodes"].namespace("other")
