"""What is sent for subresources, and what comes back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from k8srt.api.apps.v1 import Deployment, DeploymentSpec
from k8srt.api.authentication.v1 import BoundObjectReference, TokenRequest
from k8srt.api.autoscaling.v1 import Scale, ScaleSpec
from k8srt.api.certificates.v1 import CertificateSigningRequest
from k8srt.api.core.v1 import Binding, Event, Namespace, Node, ObjectReference, Pod, Service, ServiceAccount
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.schema import GroupVersionResource
from k8srt.dynamic import DynamicClient
from k8srt.gentype import ResourceClient
from k8srt.kubernetes.typed.core.v1 import EventClient
from tests.unit.rest.fakes import FakeReply, FakeTransport, fake_client

SUCCESS = b'{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","code":201}'
SCALE = b'{"apiVersion":"autoscaling/v1","kind":"Scale","metadata":{"name":"web"},"spec":{"replicas":2}}'


class Sent(NamedTuple):
    method: str
    target: str
    body: Any
    content_type: str = "application/json"


def client_of(
    cls: type[Object], answer: bytes = b"", namespace: str = "d"
) -> tuple[ResourceClient[Any], FakeTransport]:
    info = cls.__info__
    assert info is not None
    echo = b'{"apiVersion":"%b","kind":"%b"}' % (info.api_version.encode(), info.kind.encode())
    client, transport, _ = fake_client(FakeReply(body=answer or echo))
    return ResourceClient(client, cls, namespace if info.namespaced else ""), transport


def sent(transport: FakeTransport) -> Sent:
    (one,) = transport.sent
    body = json.loads(one["body"]) if one["body"] else None
    return Sent(one["method"], one["target"], body, one["headers"].get("Content-Type", ""))


def named(name: str = "x") -> ObjectMeta:
    return ObjectMeta(name=name)


def written(kind: str, api_version: str = "v1", name: str = "x") -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}}


# ---- the object itself, in part


@pytest.mark.parametrize(
    ("cls", "call", "path"),
    [
        (Pod, lambda pods, pod: pods.update_status(pod), "/api/v1/namespaces/d/pods/x/status"),
        (Pod, lambda pods, pod: pods.update(pod, subresource="status"), "/api/v1/namespaces/d/pods/x/status"),
        (
            Pod,
            lambda pods, pod: pods.update_ephemeral_containers(pod),
            "/api/v1/namespaces/d/pods/x/ephemeralcontainers",
        ),
        (Pod, lambda pods, pod: pods.update_resize(pod), "/api/v1/namespaces/d/pods/x/resize"),
        (Namespace, lambda namespaces, obj: namespaces.finalize(obj), "/api/v1/namespaces/x/finalize"),
        (
            CertificateSigningRequest,
            lambda requests, csr: requests.update_approval(csr),
            "/apis/certificates.k8s.io/v1/certificatesigningrequests/x/approval",
        ),
    ],
)
def test_cli_07_parts_of_an_object_are_replaced(
    cls: type[Object], call: Callable[[Any, Object], Object], path: str
) -> None:
    client, transport = client_of(cls)
    info = client.info

    answer = call(client, cls(metadata=named()))

    assert type(answer) is cls
    assert sent(transport) == Sent("PUT", path, written(info.kind, info.api_version))


def test_cli_08_the_status_of_a_node_is_patched() -> None:
    nodes, transport = client_of(Node)

    nodes.patch_status("n", {"status": {"phase": "Running"}}, patch_type="strategic")

    content_type = "application/strategic-merge-patch+json"
    expected = Sent("PATCH", "/api/v1/nodes/n/status", {"status": {"phase": "Running"}}, content_type)
    assert sent(transport) == expected


def test_cli_05_what_a_patched_subresource_answers_is_of_its_own_kind() -> None:
    deployments, _ = client_of(Deployment, SCALE)

    answer = deployments.patch("web", {"spec": {"replicas": 2}}, patch_type="merge", subresource="scale")

    assert isinstance(answer, Scale)
    assert isinstance(deployments.get("web", subresource="scale"), Scale)


def test_cli_05_a_patch_names_the_subresource_and_says_what_it_is() -> None:
    deployments, transport = client_of(Deployment)

    deployments.patch("web", [], patch_type="json", subresource="status", field_manager="me", dry_run=True)

    assert sent(transport) == Sent(
        "PATCH",
        "/apis/apps/v1/namespaces/d/deployments/web/status?dryRun=All&fieldManager=me",
        [],
        "application/json-patch+json",
    )


def test_cli_04_apply_sends_what_was_set_and_nothing_else() -> None:
    deployments, transport = client_of(Deployment)

    deployments.apply(Deployment(metadata=named(), spec=DeploymentSpec(replicas=0)), field_manager="me")

    assert sent(transport).body == {**written("Deployment", "apps/v1"), "spec": {"replicas": 0}}


def test_cli_04_apply_status_names_the_manager() -> None:
    pods, transport = client_of(Pod)

    pods.apply_status({"metadata": {"name": "x"}, "status": {"phase": "Running"}}, field_manager="me", force=True)

    one = sent(transport)
    assert one.target == "/api/v1/namespaces/d/pods/x/status?fieldManager=me&force=true"
    assert one.body == {**written("Pod"), "status": {"phase": "Running"}}
    assert one.content_type == "application/apply-patch+yaml"


# ---- scale


def test_cli_07_the_scale_is_read_replaced_patched_and_applied() -> None:
    deployments, transport = client_of(Deployment, SCALE)
    three = {"spec": {"replicas": 3}}

    answers = [
        deployments.get_scale("web"),
        deployments.update_scale("web", Scale(spec=ScaleSpec(replicas=3))),
        deployments.patch_scale("web", three, patch_type="merge"),
        deployments.apply_scale("web", three, field_manager="me"),
    ]

    assert {type(answer) for answer in answers} == {Scale}
    assert [one["method"] for one in transport.sent] == ["GET", "PUT", "PATCH", "PATCH"]
    assert {one["target"].partition("?")[0] for one in transport.sent} == {
        "/apis/apps/v1/namespaces/d/deployments/web/scale"
    }
    bodies = [json.loads(one["body"]) for one in transport.sent[1:]]
    whole = {**written("Scale", "autoscaling/v1", "web"), **three}
    assert bodies == [whole, three, whole]
    assert transport.sent[3]["target"].endswith("?fieldManager=me")


def test_a_scale_of_something_else_is_not_sent() -> None:
    deployments, transport = client_of(Deployment, SCALE)

    with pytest.raises(ValueError, match="update_scale of 'web': the scale is that of 'other'"):
        deployments.update_scale("web", Scale(metadata=named("other")))
    with pytest.raises(ValueError, match="expected autoscaling/v1 Scale, got apps/v1 Deployment"):
        deployments.update_scale("web", Deployment(metadata=named("web")))
    with pytest.raises(ValueError, match="no name"):
        deployments.apply_scale("", Scale(), field_manager="me")
    assert transport.sent == []


# ---- pods


def test_cli_08_a_pod_is_bound_to_a_node() -> None:
    pods, transport = client_of(Pod, SUCCESS)

    pods.bind("x", "node-1")

    target = {"apiVersion": "v1", "kind": "Node", "name": "node-1"}
    meta = {"name": "x", "namespace": "d"}
    body = {"apiVersion": "v1", "kind": "Binding", "metadata": meta, "target": target}
    assert sent(transport) == Sent("POST", "/api/v1/namespaces/d/pods/x/binding", body)


def test_cli_08_a_binding_may_be_given_whole() -> None:
    pods, transport = client_of(Pod, SUCCESS, namespace="")
    binding = Binding(
        metadata=ObjectMeta(namespace="e", uid="u"),
        target=ObjectReference(kind="Node", name="n"),
    )

    pods.bind("x", binding, field_manager="me")

    one = sent(transport)
    assert one.target == "/api/v1/namespaces/e/pods/x/binding?fieldManager=me"
    assert one.body["metadata"] == {"name": "x", "namespace": "e", "uid": "u"}
    assert not binding.metadata.name
    with pytest.raises(ValueError, match="the binding is that of 'other'"):
        pods.bind("x", Binding(metadata=named("other")))
    with pytest.raises(ValueError, match="the node has no name"):
        pods.bind("x", "")


@pytest.mark.parametrize("version", ["policy/v1", "policy/v1beta1"])
def test_cli_08_cli_10_an_eviction_is_asked_for(version: Any) -> None:
    pods, transport = client_of(Pod, SUCCESS)

    pods.evict("x", api_version=version, grace_period_seconds=0, preconditions={"uid": "u"}, dry_run=True)

    options = {"dryRun": ["All"], "gracePeriodSeconds": 0, "preconditions": {"uid": "u"}}
    meta = {"name": "x", "namespace": "d"}
    body = {"apiVersion": version, "kind": "Eviction", "metadata": meta, "deleteOptions": options}
    assert sent(transport) == Sent("POST", "/api/v1/namespaces/d/pods/x/eviction", body)


def test_cli_08_an_eviction_without_options_has_none() -> None:
    pods, transport = client_of(Pod, SUCCESS)

    pods.evict("x")

    assert "deleteOptions" not in sent(transport).body
    with pytest.raises(ValueError, match="policy/v2"):
        pods.evict("x", api_version="policy/v2")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("more", "target"),
    [
        ({}, "pods/x/proxy/metrics"),
        ({"port": 80}, "pods/x:80/proxy/metrics"),
        ({"scheme": "https", "port": "web"}, "pods/https:x:web/proxy/metrics"),
        ({"scheme": "https"}, "pods/https:x:/proxy/metrics"),
        ({"params": {"a": "1 2"}}, "pods/x/proxy/metrics?a=1+2"),
    ],
)
def test_cli_08_a_pod_is_reached_by_proxy(more: dict[str, Any], target: str) -> None:
    pods, transport = client_of(Pod, b"up 1\n")

    answer = pods.proxy_get("x", "metrics", **more).do_raw()

    assert answer == b"up 1\n"
    assert sent(transport)[:2] == ("GET", f"/api/v1/namespaces/d/{target}")


def test_cli_08_services_and_nodes_are_reached_by_proxy_with_any_method() -> None:
    services, first = client_of(Service)
    nodes, second = client_of(Node)

    services.proxy("POST", "web", "items", port="http").body(b"{}").do_raw()
    nodes.proxy_get("n", "healthz").do_raw()

    assert sent(first)[:3] == ("POST", "/api/v1/namespaces/d/services/web:http/proxy/items", {})
    assert sent(second)[:2] == ("GET", "/api/v1/nodes/n/proxy/healthz")
    with pytest.raises(ValueError, match="method must be one of GET"):
        nodes.proxy("CONNECT", "n")
    with pytest.raises(ValueError, match="no name"):
        nodes.proxy_get("", port=80)


# ---- tokens


@pytest.mark.parametrize(
    "ref",
    [
        Pod(metadata=ObjectMeta(name="p", uid="u")),
        BoundObjectReference(api_version="v1", kind="Pod", name="p", uid="u"),
        {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"},
    ],
    ids=["object", "reference", "dict"],
)
def test_cli_07_a_token_is_asked_for(ref: Any) -> None:
    accounts, transport = client_of(
        ServiceAccount, b'{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","status":{"token":"t"}}'
    )

    answer = accounts.create_token("robot", audiences=["x"], expiration_seconds=600, bound_object_ref=ref)

    bound = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}
    spec = {"audiences": ["x"], "expirationSeconds": 600, "boundObjectRef": bound}
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    assert sent(transport) == Sent("POST", "/api/v1/namespaces/d/serviceaccounts/robot/token", body)
    assert isinstance(answer, TokenRequest)
    assert answer.status.token == "t"


def test_a_token_for_one_text_is_a_mistake() -> None:
    accounts, transport = client_of(ServiceAccount)

    with pytest.raises(TypeError, match="audiences: expected a list of texts"):
        accounts.create_token("robot", audiences="x")
    assert transport.sent == []


# ---- events


def events(namespace: str = "", answer: bytes = b"") -> tuple[EventClient, FakeTransport]:
    client, transport, _ = fake_client(FakeReply(body=answer or b'{"apiVersion":"v1","kind":"Event"}'))
    return EventClient(client, Event, namespace), transport


EVENT = Event(metadata=ObjectMeta(name="e", namespace="mine"), reason="R", type="Normal")


def test_cli_08_an_event_is_written_where_it_belongs() -> None:
    client, transport = events()

    client.create_with_event_namespace(EVENT)
    client.update_with_event_namespace(EVENT)
    client.patch_with_event_namespace(EVENT, {"count": 2})

    path = "/api/v1/namespaces/mine/events"
    assert [(one["method"], one["target"]) for one in transport.sent] == [
        ("POST", path),
        ("PUT", f"{path}/e"),
        ("PATCH", f"{path}/e"),
    ]
    assert transport.sent[2]["headers"]["Content-Type"] == "application/strategic-merge-patch+json"


def test_cli_08_an_event_of_another_namespace_is_not_sent() -> None:
    client, transport = events("other")

    for call in (
        lambda: client.create_with_event_namespace(EVENT),
        lambda: client.update_with_event_namespace(EVENT),
        lambda: client.patch_with_event_namespace(EVENT, {}),
    ):
        with pytest.raises(ValueError, match=r"event with namespace 'mine' in namespace 'other'"):
            call()
    assert transport.sent == []


@pytest.mark.parametrize(
    ("about", "selector"),
    [
        (
            Pod(metadata=ObjectMeta(name="p", namespace="d", uid="u")),
            "involvedObject.kind=Pod,involvedObject.name=p,involvedObject.namespace=d,involvedObject.uid=u",
        ),
        (ObjectReference(name="n"), "involvedObject.name=n,involvedObject.namespace="),
        (
            {"kind": "Pod", "name": "p", "namespace": "d"},
            "involvedObject.kind=Pod,involvedObject.name=p,involvedObject.namespace=d",
        ),
    ],
    ids=["object", "reference", "dict"],
)
def test_cli_08_the_events_of_an_object_are_found(about: Any, selector: str) -> None:
    from urllib.parse import parse_qs, urlsplit

    client, transport = events(answer=b'{"apiVersion":"v1","kind":"EventList","items":[{}]}')

    found = client.search(about, limit=5)

    query = parse_qs(urlsplit(sent(transport).target).query)
    assert query == {"fieldSelector": [selector], "limit": ["5"]}
    assert len(found) == 1


def test_cli_08_no_events_are_searched_for_where_they_cannot_be() -> None:
    client, transport = events("other")

    with pytest.raises(ValueError, match="namespace 'd' can be found in namespace 'other'"):
        client.search(Pod(metadata=ObjectMeta(name="p", namespace="d")))
    with pytest.raises(ValueError, match="made of the object"):
        client.search(Pod(metadata=ObjectMeta(name="p", namespace="other")), field_selector="x=y")
    assert transport.sent == []
    assert str(client.get_field_selector(name="p")) == "involvedObject.name=p"
    assert client.get_field_selector().empty


# ---- what is only told to have been done


def test_cli_06_a_binding_that_was_made_is_returned_as_it_was_sent() -> None:
    bindings, transport = client_of(Binding, SUCCESS)
    binding = Binding(metadata=named(), target=ObjectReference(kind="Node", name="n"))

    answer = bindings.create(binding)

    assert answer == binding
    assert answer is not binding
    assert sent(transport)[:2] == ("POST", "/api/v1/namespaces/d/bindings")


def test_an_object_of_a_kind_called_status_is_an_object() -> None:
    made = b'{"apiVersion":"example.com/v1","kind":"Status","metadata":{"name":"x","uid":"u"}}'
    client, _, _ = fake_client(FakeReply(body=made))
    statuses = DynamicClient.over(client).resource(GroupVersionResource("example.com", "v1", "statuses"), "d")

    answer = statuses.create({"apiVersion": "example.com/v1", "kind": "Status", "metadata": {"name": "x"}})

    assert answer.metadata.uid == "u"


# ---- without a model


def test_clients_without_a_model_have_the_subresources_too() -> None:
    client, transport, _ = fake_client(FakeReply(body=SCALE))
    webs = DynamicClient.over(client).resource(GroupVersionResource("example.com", "v1", "webs"), "d")

    scale = webs.update_scale("web", {"spec": {"replicas": 2}})

    assert isinstance(scale, Scale)
    assert sent(transport)[:2] == ("PUT", "/apis/example.com/v1/namespaces/d/webs/web/scale")
