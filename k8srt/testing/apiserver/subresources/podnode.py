"""What is done to pods by those who place and remove them: binding, eviction; and what needs a kubelet."""

from __future__ import annotations

from typing import Any

from k8srt.apimachinery import labels
from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.testing.apiserver import admission
from k8srt.testing.apiserver.auth import User
from k8srt.testing.apiserver.bodies import read_body
from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.deletes import DeleteOptions, delete_object
from k8srt.testing.apiserver.failures import (
    bad_request,
    conflict,
    invalid,
    invalid_value,
    plain_500,
    too_many_requests,
)
from k8srt.testing.apiserver.messages import Request, Response
from k8srt.testing.apiserver.negotiation import answer, form_of
from k8srt.testing.apiserver.registry import Resource
from k8srt.testing.apiserver.requests import RequestInfo
from k8srt.testing.apiserver.storage import Stale
from k8srt.testing.apiserver.strategies.strategy import Write

JSON = dict[str, Any]
_BUDGETS = "poddisruptionbudgets.policy"
_BINDING, _EVICTION = GroupVersionKind("", "v1", "Binding"), GroupVersionKind("policy", "v1", "Eviction")


def _done(request: Request) -> Response:
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
    return answer(request, form_of(request, transforms=False), status, 201)


# ---- binding


def bind(cluster: Cluster, request: Request, info: RequestInfo, resource: Resource, user: User) -> Response:
    """Also serves the `bindings` collection, where the body names the pod."""
    body, _ = read_body(request)
    if not isinstance(body, dict) or body.get("kind", "Binding") != "Binding":
        raise bad_request("the object is no Binding")
    name = info.name or (body.get("metadata") or {}).get("name", "")
    target = body.get("target") or {}
    if not target.get("name"):
        raise plain_500("target.name: Required value")
    pods = cluster.registry.find("", "v1", "pods")
    assert pods is not None
    admission.admit(pods, body, None, None, Write(cluster, info.namespace, name, False, "binding", user), _BINDING)
    bind_pod(cluster, info.namespace, name, target["name"])
    return _done(request)


def bind_pod(cluster: Cluster, namespace: str, name: str, target: str) -> None:
    """Give a pod its node. Raises Failure: 404, or 409 when it has one."""
    pods = cluster.registry.find("", "v1", "pods")
    assert pods is not None
    while True:
        stored = cluster.get(pods, namespace, name)
        pod = cluster.document(pods, stored)
        node = pod["spec"].get("nodeName")
        if node:
            raise conflict("", "pods/binding", name, f'pod {name} is already assigned to node "{node}"')
        pod["spec"]["nodeName"] = target
        condition = {"type": "PodScheduled", "status": "True", "lastProbeTime": None,
                     "lastTransitionTime": cluster.now()}  # fmt: skip
        set_condition(pod, condition)
        try:
            cluster.storage.update(pods.table, cluster.to_stored(pods, pod), cluster.fields_of(pods), stored)
        except Stale:
            continue
        return


def set_condition(obj: JSON, condition: JSON) -> None:
    """Put a condition into the status, in the place of the one of its type."""
    status = obj.setdefault("status", {})
    others = [each for each in status.get("conditions") or [] if each["type"] != condition["type"]]
    status["conditions"] = [*others, condition]


# ---- eviction


def evict(cluster: Cluster, request: Request, info: RequestInfo, resource: Resource, user: User) -> Response:
    body, _ = read_body(request)
    if not isinstance(body, dict):
        raise bad_request("the object is no Eviction")
    asked = body.get("deleteOptions") or {}
    dry_run = bool(asked.get("dryRun")) or "dryRun" in request.query
    stored = cluster.get(resource, info.namespace, info.name)
    write = Write(cluster, info.namespace, info.name, dry_run, "eviction", user)
    admission.admit(resource, body, None, None, write, _EVICTION)
    pod = cluster.document(resource, stored)
    if _needs_budget(pod):
        _spend_budget(cluster, info, pod, dry_run=dry_run)
    preconditions = asked.get("preconditions") or {}
    if not dry_run and "deletionTimestamp" not in pod["metadata"]:
        _mark_disrupted(cluster, resource, info)
        stored = cluster.get(resource, info.namespace, info.name)
    options = DeleteOptions(grace=asked.get("gracePeriodSeconds"), uid=preconditions.get("uid") or "", dry_run=dry_run)
    delete_object(cluster, resource, stored, options)
    return _done(request)


def _needs_budget(pod: JSON) -> bool:
    """Pods that are finished, pending or going anyway may leave without asking a budget."""
    phase = (pod.get("status") or {}).get("phase")
    return phase not in ("Succeeded", "Failed", "Pending") and "deletionTimestamp" not in pod["metadata"]


def _spend_budget(cluster: Cluster, info: RequestInfo, pod: JSON, *, dry_run: bool) -> None:
    budgets = cluster.registry.by_table(_BUDGETS)
    assert budgets is not None
    while True:
        guarding = [
            stored for stored in cluster.storage.page(_BUDGETS, info.namespace).items if _guards(stored.decode(), pod)
        ]
        if not guarding:
            return
        if len(guarding) > 1:
            raise plain_500(
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
            )
        budget = guarding[0].decode()
        _spend(cluster, budget, info.name)
        if dry_run:
            return
        try:
            cluster.storage.update(_BUDGETS, budget, cluster.fields_of(budgets), guarding[0])
        except Stale:
            continue
        return


def _guards(budget: JSON, pod: JSON) -> bool:
    selector = (budget.get("spec") or {}).get("selector")
    if selector is None:
        return False
    return labels.label_selector_as_selector(selector).matches(pod["metadata"].get("labels") or {})


def _spend(cluster: Cluster, budget: JSON, pod: str) -> None:
    name, status = budget["metadata"]["name"], budget.setdefault("status", {})
    text = "Cannot evict pod as it would violate the pod's disruption budget."
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        why = f"The disruption budget {name} is still being processed by the server."
        raise too_many_requests(text, _disruption(why), retry_after=10)
    if status.get("disruptionsAllowed", 0) <= 0:
        why = (
            f"The disruption budget {name} needs {status.get('desiredHealthy', 0)} healthy pods and has "
            f"{status.get('currentHealthy', 0)} currently"
        )
        raise too_many_requests(text, _disruption(why))
    status["disruptionsAllowed"] -= 1
    status["disruptedPods"] = {**(status.get("disruptedPods") or {}), pod: cluster.now()}
    if status["disruptionsAllowed"] == 0:
        condition = {"type": "DisruptionAllowed", "status": "False", "reason": "InsufficientPods", "message": "",
                     "observedGeneration": status.get("observedGeneration", 0),
                     "lastTransitionTime": cluster.now()}  # fmt: skip
        set_condition(budget, condition)


def _disruption(why: str) -> JSON:
    return {"causes": [{"reason": "DisruptionBudget", "message": why}]}


def _mark_disrupted(cluster: Cluster, resource: Resource, info: RequestInfo) -> None:
    while True:
        stored = cluster.get(resource, info.namespace, info.name)
        pod = cluster.document(resource, stored)
        condition = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI",
                     "message": "Eviction API: evicting", "lastProbeTime": None,
                     "lastTransitionTime": cluster.now()}  # fmt: skip
        set_condition(pod, condition)
        try:
            cluster.storage.update(
                resource.table, cluster.to_stored(resource, pod), cluster.fields_of(resource), stored
            )
        except Stale:
            continue
        return


# ---- what needs a kubelet


def log(cluster: Cluster, request: Request, info: RequestInfo, resource: Resource, user: User) -> Response:
    """Nothing runs here, so there is nothing to read; the checks are the real server's."""
    tail = request.param("tailLines")
    if tail.startswith("-"):
        cause = invalid_value("tailLines", int(tail), "must be greater than or equal to 0")
        raise invalid("", "PodLogOptions", info.name, [cause])
    pod = cluster.document(resource, cluster.get(resource, info.namespace, info.name))
    names = [container["name"] for container in pod["spec"].get("containers") or []]
    wanted = request.param("container")
    if not wanted and len(names) > 1:
        raise bad_request(f"a container name must be specified for pod {info.name}, choose one of: [{' '.join(names)}]")
    if wanted and wanted not in names:
        raise bad_request(f"container {wanted} is not valid for pod {info.name}")
    if not pod["spec"].get("nodeName"):
        return Response(204, b"", "")
    return Response(200, b"", "text/plain")


def stream(cluster: Cluster, request: Request, info: RequestInfo, resource: Resource, user: User) -> Response:
    """exec, attach, port-forward, proxy."""
    cluster.get(resource, info.namespace, info.name)
    raise bad_request(f"{resource.kind.lower()} {info.name} does not have a host assigned")
