"""Pods, and the pod specs inside workloads: defaults, what admission adds, quality of service, what may change."""

from __future__ import annotations

import copy
from typing import Any

from k8srt.testing.apiserver.failures import Cause, failure, forbidden, forbidden_field
from k8srt.testing.apiserver.strategies.podchecks import pod_spec_causes
from k8srt.testing.apiserver.strategies.resources import quality_of_service
from k8srt.testing.apiserver.strategies.strategy import Write

JSON = dict[str, Any]
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_FILE_MODES = ("secret", "configMap", "downwardAPI", "projected")
_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")


def containers_of(spec: JSON) -> list[JSON]:
    return [each for kind in _CONTAINERS for each in spec.get(kind) or []]


# ---- defaults


def pod_defaults(obj: JSON) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("enableServiceLinks", True)
    for container in [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]:
        _requests_from_limits(container)
    spec_defaults(spec)
    if spec.get("hostNetwork"):
        for container in spec.get("containers") or []:
            for port in container.get("ports") or []:
                port.setdefault("hostPort", port.get("containerPort"))


def _requests_from_limits(container: JSON) -> None:
    resources = container.get("resources") or {}
    limits = resources.get("limits")
    if limits:
        resources["requests"] = {**limits, **(resources.get("requests") or {})}


def template_defaults(template: JSON) -> None:
    template.setdefault("metadata", {})
    spec_defaults(template.setdefault("spec", {}))


def spec_defaults(spec: JSON) -> None:
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("schedulerName", "default-scheduler")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("securityContext", {})
    if spec.get("serviceAccountName"):
        spec.setdefault("serviceAccount", spec["serviceAccountName"])
    elif spec.get("serviceAccount"):
        spec["serviceAccountName"] = spec["serviceAccount"]
    for container in containers_of(spec):
        _container_defaults(container)
    for volume in spec.get("volumes") or []:
        _volume_defaults(volume)


def _container_defaults(container: JSON) -> None:
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    container.setdefault("imagePullPolicy", _pull_policy(container.get("image", "")))
    container.setdefault("resources", {})
    for port in container.get("ports") or []:
        port.setdefault("protocol", "TCP")
    for env in container.get("env") or []:
        source = env.get("valueFrom") or {}
        if "fieldRef" in source:
            source["fieldRef"].setdefault("apiVersion", "v1")
        if "resourceFieldRef" in source:
            source["resourceFieldRef"].setdefault("divisor", "0")
    for name in _PROBES:
        if container.get(name) is not None:
            _probe_defaults(container[name])
    for hook in (container.get("lifecycle") or {}).values():
        if isinstance(hook, dict) and "httpGet" in hook:
            _http_defaults(hook["httpGet"])


def _pull_policy(image: str) -> str:
    name, at, _ = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return "Always" if tag in ("", "latest") and not at else "IfNotPresent"


def _probe_defaults(probe: JSON) -> None:
    probe.setdefault("timeoutSeconds", 1)
    probe.setdefault("periodSeconds", 10)
    probe.setdefault("successThreshold", 1)
    probe.setdefault("failureThreshold", 3)
    if "httpGet" in probe:
        _http_defaults(probe["httpGet"])
    if "grpc" in probe:
        probe["grpc"].setdefault("service", "")


def _http_defaults(action: JSON) -> None:
    action.setdefault("path", "/")
    action.setdefault("scheme", "HTTP")


def _volume_defaults(volume: JSON) -> None:
    if len(volume) == 1:
        volume["emptyDir"] = {}
    for kind in _FILE_MODES:
        if kind in volume:
            volume[kind].setdefault("defaultMode", 420)
    if "hostPath" in volume:
        volume["hostPath"].setdefault("type", "")
    items = list((volume.get("downwardAPI") or {}).get("items") or [])
    for source in (volume.get("projected") or {}).get("sources") or []:
        items += (source.get("downwardAPI") or {}).get("items") or []
        if "serviceAccountToken" in source:
            source["serviceAccountToken"].setdefault("expirationSeconds", 3600)
    for item in items:
        if "fieldRef" in item:
            item["fieldRef"].setdefault("apiVersion", "v1")
        if "resourceFieldRef" in item:
            item["resourceFieldRef"].setdefault("divisor", "0")
    if "ephemeral" in volume:
        template = volume["ephemeral"].get("volumeClaimTemplate") or {}
        template.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")


# ---- admission and status


def prepare(obj: JSON, old: JSON | None, write: Write) -> None:
    if old is not None:
        _tolerations(obj["spec"])
        return
    spec = obj["spec"]
    _service_account(obj, spec, write)
    _priority(obj, spec, write)
    _tolerations(spec)
    from k8srt.testing.apiserver.strategies.limits import apply_limit_ranges

    apply_limit_ranges(obj, write)


def first_status(obj: JSON) -> None:
    obj["status"] = {"phase": "Pending", "qosClass": quality_of_service(obj["spec"])}
    gates = obj["spec"].get("schedulingGates")
    if gates:
        message = "Scheduling is blocked due to non-empty scheduling gates"
        condition = {"type": "PodScheduled", "status": "False", "lastProbeTime": None,
                     "lastTransitionTime": None, "reason": "SchedulingGated", "message": message,
                     "observedGeneration": 1}  # fmt: skip
        obj["status"]["conditions"] = [condition]


def _service_account(obj: JSON, spec: JSON, write: Write) -> None:
    name = spec.setdefault("serviceAccountName", "default")
    spec["serviceAccount"] = name
    account = write.cluster.find("serviceaccounts", write.namespace, name)
    pod = obj["metadata"].get("name", "")
    if account is None:
        why = f'error looking up service account {write.namespace}/{name}: serviceaccount "{name}" not found'
        raise forbidden("", "pods", pod, why)
    if spec.get("imagePullSecrets") is None and account.get("imagePullSecrets"):
        spec["imagePullSecrets"] = copy.deepcopy(account["imagePullSecrets"])
    mount = spec.get("automountServiceAccountToken", account.get("automountServiceAccountToken", True))
    if mount:
        _mount_token(spec, write)


_TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"


def _mount_token(spec: JSON, write: Write) -> None:
    targets = [
        container
        for container in containers_of(spec)
        if all(mount.get("mountPath") != _TOKEN_PATH for mount in container.get("volumeMounts") or [])
    ]
    if not targets:
        return
    name = f"kube-api-access-{write.cluster.suffix()}"
    for container in targets:
        container.setdefault("volumeMounts", [])
        container["volumeMounts"].append({"name": name, "readOnly": True, "mountPath": _TOKEN_PATH})
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    authority = {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    sources = [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": authority},
        {"downwardAPI": {"items": [namespace]}},
    ]
    volume = {"name": name, "projected": {"sources": sources, "defaultMode": 420}}
    spec["volumes"] = [*(spec.get("volumes") or []), volume]


_BUILTIN_PRIORITIES = {"system-cluster-critical": 2000000000, "system-node-critical": 2000001000}


def _priority(obj: JSON, spec: JSON, write: Write) -> None:
    name = spec.get("priorityClassName")
    found: JSON | None = None
    if not name:
        found = _default_priority_class(write)
        if found is not None:
            spec["priorityClassName"] = found["metadata"]["name"]
    elif name in _BUILTIN_PRIORITIES:
        found = {"value": _BUILTIN_PRIORITIES[name]}
    else:
        found = write.cluster.find("priorityclasses.scheduling.k8s.io", "", name)
        if found is None:
            why = f"no PriorityClass with name {name} was found"
            raise forbidden("", "pods", obj["metadata"].get("name", ""), why)
    value, policy = (found or {}).get("value", 0), (found or {}).get("preemptionPolicy")
    if spec.get("priority", value) != value:
        why = (
            f"the integer value of priority ({spec['priority']}) must not be provided in pod spec; priority "
            "admission controller computed " + f"{value} from the given PriorityClass name"
        )
        raise forbidden("", "pods", obj["metadata"].get("name", ""), why)
    spec["priority"] = value
    spec.setdefault("preemptionPolicy", policy or "PreemptLowerPriority")


def _default_priority_class(write: Write) -> JSON | None:
    page = write.cluster.storage.page("priorityclasses.scheduling.k8s.io")
    found = [obj for obj in (stored.decode() for stored in page.items) if obj.get("globalDefault")]
    return min(found, key=lambda obj: int(obj.get("value", 0)), default=None)


def _tolerations(spec: JSON) -> None:
    tolerations = spec.get("tolerations") or []
    for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
        if not any(_tolerates(each, key) for each in tolerations):
            extra = {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
            tolerations = [*tolerations, extra]
    spec["tolerations"] = tolerations


def _tolerates(toleration: JSON, key: str) -> bool:
    return toleration.get("key", "") in ("", key) and toleration.get("effect", "") in ("", "NoExecute")


# ---- validation

_CHANGED = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def validate(obj: JSON, old: JSON | None) -> list[Cause]:
    causes = pod_spec_causes(obj.get("spec") or {}, "spec")
    if old is not None:
        causes += _update_causes(obj, old)
    return causes


def _update_causes(obj: JSON, old: JSON) -> list[Cause]:
    spec, before = obj["spec"], old["spec"]
    for kind in ("containers", "initContainers"):
        if len(spec.get(kind) or []) != len(before.get(kind) or []):
            return [forbidden_field(f"spec.{kind}", "pod updates may not add or remove containers")]
    causes = []
    if not _only_more_tolerations(spec, before):
        text = "existing toleration can not be modified except its tolerationSeconds"
        causes.append(forbidden_field("spec.tolerations", text))
    if _masked(spec, before) != before:
        causes.append(forbidden_field("spec", _CHANGED))
    return causes


def _only_more_tolerations(spec: JSON, before: JSON) -> bool:
    def shape(toleration: JSON) -> JSON:
        return {k: v for k, v in toleration.items() if k != "tolerationSeconds"}

    now = [shape(each) for each in spec.get("tolerations") or []]
    return all(shape(each) in now for each in before.get("tolerations") or [])


def _masked(spec: JSON, before: JSON) -> JSON:
    """The new spec with everything that may change put back."""
    masked = copy.deepcopy(spec)
    for name in ("activeDeadlineSeconds", "tolerations"):
        _put_back(masked, before, name)
    if before.get("schedulingGates"):
        for name in ("schedulingGates", "nodeSelector", "affinity"):
            _put_back(masked, before, name)
    for kind in ("containers", "initContainers"):
        for mine, theirs in zip(masked.get(kind) or [], before.get(kind) or [], strict=True):
            _put_back(mine, theirs, "image")
    return masked


def _put_back(target: JSON, source: JSON, name: str) -> None:
    target.pop(name, None)
    if name in source:
        target[name] = source[name]


def prepare_status(obj: JSON, old: JSON | None, write: Write) -> None:
    if old is None or write.subresource not in ("status",):
        return
    status, before = obj.setdefault("status", {}), old.get("status") or {}
    if "qosClass" in before:
        status["qosClass"] = before["qosClass"]


# ---- deletion

_FINISHED = ("Succeeded", "Failed")


def grace(obj: JSON, asked: int | None) -> int:
    """Seconds a pod is given: its own period by default, none for one that runs nowhere."""
    spec = obj["spec"]
    period = asked if asked is not None else spec.get("terminationGracePeriodSeconds", 30)
    if not spec.get("nodeName") or (obj.get("status") or {}).get("phase") in _FINISHED:
        return 0
    return 1 if period < 0 else int(period)


def fields(obj: JSON) -> dict[str, str]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    ips = status.get("podIPs") or [{}]
    return {
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.restartPolicy": spec.get("restartPolicy", ""),
        "spec.schedulerName": spec.get("schedulerName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", ""),
        "spec.hostNetwork": "true" if spec.get("hostNetwork") else "false",
        "status.phase": status.get("phase", ""),
        "status.podIP": status.get("podIP") or ips[0].get("ip", ""),
        "status.podIPs": ips[0].get("ip", ""),
        "status.nominatedNodeName": status.get("nominatedNodeName", ""),
    }


FIELD_NAMES = (
    "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
    "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName",
)  # fmt: skip


def no_host(name: str) -> Exception:
    """There is no kubelet to ask."""
    return failure(400, "BadRequest", f"pod {name} does not have a host assigned")
