"""Services: the addresses of the pods they choose, as EndpointSlices and as Endpoints."""

from __future__ import annotations

from typing import Any

from k8srt.apimachinery import labels
from k8srt.testing.apiserver.controllers.simulation.pods import finished, going, ready
from k8srt.testing.apiserver.controllers.simulation.world import Key, World, owner_reference
from k8srt.testing.apiserver.failures import Failure

JSON = dict[str, Any]
_SLICES = "endpointslices.discovery.k8s.io"
_SLICER, _LISTER = "endpointslice-controller", "endpoint-controller"
_MANAGED = "endpointslice.kubernetes.io/managed-by"
_SERVICE = "kubernetes.io/service-name"


def reconcile(world: World, key: Key, service: JSON | None) -> None:
    if service is None:
        stale = world.get("endpoints", key.namespace, key.name)
        if stale is not None:
            world.delete(stale, _LISTER)
        return
    selector = service["spec"].get("selector")
    if going(service) or not selector or service["spec"].get("type") == "ExternalName":
        return
    chooses = labels.from_set(selector)
    pods = [
        pod
        for pod in world.all("pods", key.namespace)
        if chooses.matches(pod["metadata"].get("labels") or {})
        and (pod.get("status") or {}).get("podIP")
        and not finished(pod)
    ]
    try:
        _write_slice(world, service, pods)
        _write_endpoints(world, service, pods)
    except Failure as err:
        if err.code not in (403, 404):  # the namespace goes
            raise


def _ports(service: JSON, pod: JSON | None) -> list[JSON]:
    """The ports with the numbers that a pod has for their names."""
    found = []
    for port in service["spec"].get("ports") or ():
        number = _number(port, pod)
        if number is not None:
            made = {"name": port.get("name", ""), "port": number, "protocol": port.get("protocol", "TCP")}
            if port.get("appProtocol"):
                made["appProtocol"] = port["appProtocol"]
            found.append(made)
    return found


def _number(port: JSON, pod: JSON | None) -> int | None:
    target = port.get("targetPort") or port["port"]
    if isinstance(target, int):
        return target
    for container in (pod or {}).get("spec", {}).get("containers") or ():
        for each in container.get("ports") or ():
            if each.get("name") == target:
                return int(each["containerPort"])
    return None


def _reference(pod: JSON) -> JSON:
    meta = pod["metadata"]
    return {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]}


def _listed(service: JSON, pod: JSON) -> bool:
    return ready(pod) or bool(service["spec"].get("publishNotReadyAddresses"))


def _write_slice(world: World, service: JSON, pods: list[JSON]) -> None:
    endpoints = []
    for pod in pods:
        up = _listed(service, pod)
        made = {"addresses": [pod["status"]["podIP"]], "nodeName": pod["spec"]["nodeName"],
                "conditions": {"ready": up and not going(pod), "serving": up, "terminating": going(pod)},
                "targetRef": _reference(pod)}  # fmt: skip
        if pod["spec"].get("hostname") and pod["spec"].get("subdomain") == service["metadata"]["name"]:
            made["hostname"] = pod["spec"]["hostname"]
        endpoints.append(made)
    ports = _ports(service, pods[0] if pods else None)
    mine = world.owned(service, _SLICES)
    meta = service["metadata"]
    if mine:
        world.change(mine[0], lambda new: new.update(endpoints=endpoints, ports=ports), _SLICER)
        return
    marks = {_SERVICE: meta["name"], _MANAGED: "endpointslice-controller.k8s.io"}
    if service["spec"].get("clusterIP") == "None":
        marks["service.kubernetes.io/headless"] = ""
    owned = {"generateName": f"{meta['name']}-", "labels": {**(meta.get("labels") or {}), **marks},
             "ownerReferences": [owner_reference(service)]}  # fmt: skip
    family = "IPv6" if ":" in str(service["spec"].get("clusterIP")) else "IPv4"
    made = {"metadata": owned, "addressType": family, "endpoints": endpoints, "ports": ports}
    world.create(_SLICES, meta["namespace"], made, _SLICER)


def _write_endpoints(world: World, service: JSON, pods: list[JSON]) -> None:
    def address(pod: JSON) -> JSON:
        return {"ip": pod["status"]["podIP"], "nodeName": pod["spec"]["nodeName"], "targetRef": _reference(pod)}

    here = [pod for pod in pods if not going(pod)]
    up = [address(pod) for pod in here if _listed(service, pod)]
    down = [address(pod) for pod in here if not _listed(service, pod)]
    subset: JSON = {"ports": _ports(service, pods[0] if pods else None)}
    subset.update({name: found for name, found in (("addresses", up), ("notReadyAddresses", down)) if found})
    subsets = [subset] if up or down else []
    meta = service["metadata"]
    existing = world.get("endpoints", meta["namespace"], meta["name"])
    if existing is None:
        marks = {**(meta.get("labels") or {}), "endpoints.kubernetes.io/managed-by": "endpoint-controller"}
        made = {"metadata": {"name": meta["name"], "labels": marks}, "subsets": subsets}
        world.create("endpoints", meta["namespace"], made, _LISTER)
    else:
        world.change(existing, lambda new: new.update(subsets=subsets), _LISTER)
