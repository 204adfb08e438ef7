"""Subresources of typed clients over real HTTP."""

from __future__ import annotations

import pytest

from k8srt import errors
from k8srt.api.apps.v1 import Deployment, DeploymentSpec
from k8srt.api.authorization.v1 import (
    ResourceAttributes,
    SelfSubjectAccessReview,
    SelfSubjectAccessReviewSpec,
)
from k8srt.api.autoscaling.v1 import Scale, ScaleSpec
from k8srt.api.certificates.v1 import (
    CertificateSigningRequest,
    CertificateSigningRequestCondition,
    CertificateSigningRequestSpec,
)
from k8srt.api.core.v1 import (
    Binding,
    Container,
    EphemeralContainer,
    Event,
    Namespace,
    Node,
    NodeCondition,
    ObjectReference,
    Pod,
    PodSpec,
    ResourceRequirements,
)
from k8srt.api.policy.v1 import PodDisruptionBudget
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.kubernetes import Clientset
from k8srt.testing.choosing import Server


@pytest.fixture(scope="module")
def server(module_server: Server) -> Server:
    return module_server


def pod(name: str) -> Pod:
    meta = ObjectMeta(name=name, labels={"app": "web"})
    container = Container(name="main", image="example.com/app:1")
    return Pod(metadata=meta, spec=PodSpec(containers=[container], scheduler_name="nobody"))


def deployment(cs: Clientset, namespace: str, name: str = "web") -> Deployment:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    return cs.apps_v1.deployments(namespace).create({"metadata": {"name": name}, "spec": spec})


def test_cli_08_pods_are_bound_by_either_way(cs: Clientset, namespace: str) -> None:
    pods = cs.core_v1.pods(namespace)
    pods.create(pod("a"))
    pods.create(pod("b"))

    pods.bind("a", "node-1")
    target = ObjectReference(kind="Node", name="node-2")
    cs.core_v1.bindings(namespace).create(Binding(metadata=ObjectMeta(name="b"), target=target))

    assert [one.spec.node_name for one in pods.list()] == ["node-1", "node-2"]
    with pytest.raises(errors.Conflict, match='already assigned to node "node-1"'):
        pods.bind("a", "node-2")


@pytest.mark.server_at_least("1.22")  # policy/v1
@pytest.mark.idle
def test_cli_08_cli_10_eviction_asks_the_budget(cs: Clientset, namespace: str) -> None:
    pods, budgets = cs.core_v1.pods(namespace), cs.policy_v1.pod_disruption_budgets(namespace)
    running = pods.create(pod("a"))
    running.status.phase = "Running"
    pods.update_status(running)
    selector = {"selector": {"matchLabels": {"app": "web"}}, "minAvailable": 1}
    budgets.create(PodDisruptionBudget.from_dict({"metadata": {"name": "web"}, "spec": selector}))
    budgets.patch_status("web", {"status": {"observedGeneration": 1, "disruptionsAllowed": 0}}, patch_type="merge")

    with pytest.raises(errors.TooManyRequests) as caught:
        pods.evict("a")
    budgets.delete("web")
    pods.evict("a", dry_run=True)
    still = pods.get("a").metadata.uid
    pods.evict("a", grace_period_seconds=0, preconditions={"uid": running.metadata.uid})

    assert caught.value.has_cause("DisruptionBudget")
    assert still == running.metadata.uid
    with pytest.raises(errors.NotFound):
        pods.get("a")
    with pytest.raises(errors.NotFound, match='pods "a" not found'):
        pods.evict("a")


@pytest.mark.server_at_least("1.33")  # pods/resize
def test_cli_07_a_pod_is_changed_while_it_runs(cs: Clientset, namespace: str) -> None:
    pods = cs.core_v1.pods(namespace)
    made = pods.create(pod("a"))

    made.spec.ephemeral_containers = [EphemeralContainer(name="debug", image="example.com/debug:1")]
    debugged = pods.update_ephemeral_containers(made)
    debugged.spec.containers[0].resources = ResourceRequirements(requests={"cpu": "100m"})
    resized = pods.update_resize(debugged)

    assert [one.name for one in resized.spec.ephemeral_containers] == ["debug"]
    assert resized.spec.containers[0].resources.requests == {"cpu": "100m"}


@pytest.mark.embedded
def test_cli_08_logs_are_refused_as_a_server_does(cs: Clientset, namespace: str) -> None:
    pods = cs.core_v1.pods(namespace)
    pods.create(pod("a"))
    pods.bind("a", "node-1")

    assert pods.logs("a") == ""
    with pods.logs("a", follow=True) as lines:
        assert list(lines) == []
    with pytest.raises(errors.Invalid, match="tailLines"):
        pods.logs("a", tail_lines=-1)
    with pytest.raises(errors.BadRequest, match="container nope is not valid"):
        pods.logs("a", container="nope")
    with pytest.raises(errors.NotFound):
        pods.logs("b", follow=True)


def test_cli_07_scale(cs: Clientset, namespace: str) -> None:
    deployments = cs.apps_v1.deployments(namespace)
    deployment(cs, namespace)

    meta = ObjectMeta(name="web", namespace=namespace)
    first = deployments.get_scale("web")
    four, six = (Scale(metadata=meta, spec=ScaleSpec(replicas=replicas)) for replicas in (4, 6))
    second = deployments.update_scale("web", four)
    third = deployments.patch_scale("web", {"spec": {"replicas": 5}}, patch_type="merge")
    fourth = deployments.apply_scale("web", six, field_manager="me", force=True)

    assert [one.spec.replicas for one in (first, second, third, fourth)] == [1, 4, 5, 6]
    assert deployments.get("web").spec.replicas == 6
    with pytest.raises(errors.Conflict):
        deployments.update_scale("web", first)


def test_cli_07_tokens(cs: Clientset, namespace: str) -> None:
    accounts = cs.core_v1.service_accounts(namespace)
    accounts.create({"metadata": {"name": "robot"}})
    running = pod("a")
    running.spec.service_account_name = "robot"
    bound = cs.core_v1.pods(namespace).create(running)

    made = accounts.create_token("robot", audiences=["x"], expiration_seconds=700, bound_object_ref=bound)

    assert made.status.token.count(".") == 2
    assert made.status.expiration_timestamp > bound.metadata.creation_timestamp
    assert (made.spec.audiences, made.spec.expiration_seconds) == (["x"], 700)
    assert made.spec.bound_object_ref.uid == bound.metadata.uid
    accounts.delete("robot")


def test_cli_07_a_namespace_is_finalized(cs: Clientset) -> None:
    namespaces = cs.core_v1.namespaces()
    made = namespaces.create(Namespace(metadata=ObjectMeta(generate_name="t-")))
    assert made.spec.finalizers == ["kubernetes"]

    made.spec.finalizers = []
    finalized = namespaces.finalize(made)

    assert not finalized.spec.finalizers
    namespaces.delete(made.metadata.name)


def signing_request() -> bytes:
    """A request for a certificate, in PEM."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bob")])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return made.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def test_cli_07_a_signing_request_is_approved(cs: Clientset) -> None:
    requests = cs.certificates_v1.certificate_signing_requests()
    spec = CertificateSigningRequestSpec(request=signing_request(), signer_name="example.com/x", usages=["client auth"])
    made = requests.create(CertificateSigningRequest(metadata=ObjectMeta(generate_name="t-"), spec=spec))

    made.status.conditions = [CertificateSigningRequestCondition(type="Approved", status="True", reason="Fine")]
    requests.update_approval(made)

    assert [one.reason for one in requests.get(made.metadata.name).status.conditions] == ["Fine"]
    requests.delete(made.metadata.name)


def test_cli_08_the_status_of_a_node_is_patched_and_merged_by_type(cs: Clientset) -> None:
    nodes = cs.core_v1.nodes()
    name = nodes.create(Node(metadata=ObjectMeta(generate_name="t-"))).metadata.name

    for kind in ("Ready", "DiskPressure"):
        patch = {"status": {"conditions": [NodeCondition(type=kind, status="True").to_dict()]}}
        nodes.patch_status(name, patch, patch_type="strategic")

    assert {one.type for one in nodes.get(name).status.conditions} >= {"Ready", "DiskPressure"}
    nodes.delete(name)


def test_cli_08_events_are_written_and_found(cs: Clientset, namespace: str) -> None:
    about = cs.core_v1.pods(namespace).create(pod("a"))
    events = cs.core_v1.events()
    ref = ObjectReference(kind="Pod", namespace=namespace, name="a", uid=about.metadata.uid)
    event = Event(metadata=ObjectMeta(name="e", namespace=namespace), involved_object=ref, reason="R", type="Normal")

    made = events.create_with_event_namespace(event)
    made.message = "second"
    changed = events.update_with_event_namespace(made)
    patched = events.patch_with_event_namespace(changed, {"count": 2})

    assert (patched.message, patched.count) == ("second", 2)
    assert [one.metadata.name for one in events.search(about)] == ["e"]
    assert [one.metadata.name for one in cs.core_v1.events(namespace).search(ref)] == ["e"]
    assert list(events.search(ObjectReference(kind="Pod", namespace=namespace, name="b"))) == []


def test_a_review_is_asked_and_answered(cs: Clientset) -> None:
    asked = ResourceAttributes(verb="get", resource="pods")
    spec = SelfSubjectAccessReviewSpec(resource_attributes=asked)

    answer = cs.authorization_v1.self_subject_access_reviews().create(SelfSubjectAccessReview(spec=spec))

    assert answer.status.allowed is True


def test_cli_04_apply_owns_the_fields_that_were_set_and_no_others(cs: Clientset, namespace: str) -> None:
    deployment(cs, namespace)

    applied = cs.apps_v1.deployments(namespace).apply(
        Deployment(metadata=ObjectMeta(name="web"), spec=DeploymentSpec(replicas=3, paused=False)),
        field_manager="me",
        force=True,
    )

    (mine,) = (entry for entry in applied.metadata.managed_fields or [] if entry.manager == "me")
    assert mine.fields_v1 == {"f:spec": {"f:paused": {}, "f:replicas": {}}}
    assert applied.spec.template.spec.containers[0].image == "i"


def test_wait_and_a_watch_that_goes_on_are_there(cs: Clientset, namespace: str) -> None:
    pods = cs.core_v1.pods(namespace)
    pods.create(pod("a"))
    pods.bind("a", "node-1")

    found = pods.wait("a", "condition=PodScheduled", timeout=10.0)
    with pods.watch(forever=True) as events:
        first = next(events)

    assert found.spec.node_name == "node-1"
    assert (first.type, first.object.metadata.name) == ("ADDED", "a")
