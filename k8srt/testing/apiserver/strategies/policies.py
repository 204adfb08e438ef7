"""Roles and bindings, network policies, ingresses, endpoints, autoscalers, webhooks, signing requests."""

from __future__ import annotations

import base64
import ipaddress
from typing import Any
from urllib.parse import urlsplit

from k8srt.testing.apiserver.failures import Cause, invalid_value, not_supported, required
from k8srt.testing.apiserver.strategies.strategy import Write

JSON = dict[str, Any]
RBAC = "rbac.authorization.k8s.io"

# ---- roles and bindings


def binding_defaults(obj: JSON) -> None:
    obj.setdefault("roleRef", {})
    if not obj["roleRef"].get("apiGroup"):
        obj["roleRef"]["apiGroup"] = RBAC
    for subject in obj.get("subjects") or []:
        if not subject.get("apiGroup") and subject.get("kind") in ("User", "Group"):
            subject["apiGroup"] = RBAC


def prepare_rbac(obj: JSON, old: JSON | None, write: Write) -> None:
    """Nobody grants more than they have, where roles decide."""
    check = getattr(write.cluster.authorizer, "check_grant", None)
    parts = ("rules", "aggregationRule", "roleRef", "subjects")
    changed = old is None or any(obj.get(part) != old.get(part) for part in parts)
    if check is not None and write.user is not None and changed:
        check(write.user, obj["kind"], obj, old, write.namespace)


def validate_role(obj: JSON, old: JSON | None) -> list[Cause]:
    return _rule_causes(obj.get("rules") or [], namespaced=True)


def validate_cluster_role(obj: JSON, old: JSON | None) -> list[Cause]:
    return _rule_causes(obj.get("rules") or [], namespaced=False)


def _rule_causes(rules: list[JSON], *, namespaced: bool) -> list[Cause]:
    causes: list[Cause] = []
    for index, rule in enumerate(rules):
        path = f"rules[{index}]"
        if not rule.get("verbs"):
            causes.append(required(f"{path}.verbs", "verbs must contain at least one value"))
        urls = rule.get("nonResourceURLs")
        if urls:
            if namespaced:
                text = "namespaced rules cannot apply to non-resource URLs"
                causes.append(invalid_value(f"{path}.nonResourceURLs", urls, text))
            if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
                text = "rules cannot apply to both regular resources and non-resource URLs"
                causes.append(invalid_value(f"{path}.nonResourceURLs", urls, text))
            continue
        if not rule.get("apiGroups"):
            causes.append(required(f"{path}.apiGroups", "resource rules must supply at least one api group"))
        if not rule.get("resources"):
            causes.append(required(f"{path}.resources", "resource rules must supply at least one resource"))
    return causes


_SUBJECTS = ("ServiceAccount", "User", "Group")


def validate_binding(obj: JSON, old: JSON | None) -> list[Cause]:
    causes: list[Cause] = []
    ref = obj["roleRef"]
    kinds = ("Role", "ClusterRole") if obj.get("kind") == "RoleBinding" else ("ClusterRole",)
    if ref.get("kind") not in kinds:
        causes.append(not_supported("roleRef.kind", ref.get("kind", ""), kinds))
    if not ref.get("name"):
        causes.append(required("roleRef.name"))
    for index, subject in enumerate(obj.get("subjects") or []):
        path = f"subjects[{index}]"
        if not subject.get("name"):
            causes.append(required(f"{path}.name"))
        if subject.get("kind") not in _SUBJECTS:
            causes.append(not_supported(f"{path}.kind", subject.get("kind", ""), _SUBJECTS))
        elif subject["kind"] == "ServiceAccount" and not subject.get("namespace"):
            causes.append(required(f"{path}.namespace"))
    if old is not None and ref != old["roleRef"]:
        shown = {"APIGroup": ref.get("apiGroup", ""), "Kind": ref.get("kind", ""), "Name": ref.get("name", "")}
        causes.append(invalid_value("roleRef", shown, "cannot change roleRef"))
    return causes


# ---- networking


def network_policy_defaults(obj: JSON) -> None:
    spec = obj.setdefault("spec", {})
    for rule in [*(spec.get("ingress") or []), *(spec.get("egress") or [])]:
        for port in rule.get("ports") or []:
            port.setdefault("protocol", "TCP")
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]


def validate_network_policy(obj: JSON, old: JSON | None) -> list[Cause]:
    causes: list[Cause] = []
    for side, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(obj["spec"].get(side) or []):
            for number, peer in enumerate(rule.get(peers) or []):
                path = f"spec.{side}[{index}].{peers}[{number}]"
                block = peer.get("ipBlock")
                if block is not None:
                    causes += _cidr_causes(block.get("cidr", ""), f"{path}.ipBlock.cidr")
    return causes


def _cidr_causes(text: str, path: str) -> list[Cause]:
    try:
        ipaddress.ip_network(text, strict=False)
        if "/" not in text:
            raise ValueError(text)
    except ValueError:
        why = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
        return [invalid_value(path, text, why)]
    return []


_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")


def validate_ingress(obj: JSON, old: JSON | None) -> list[Cause]:
    spec = obj["spec"]
    if not spec.get("rules") and spec.get("defaultBackend") is None:
        text = "either `defaultBackend` or `rules` must be specified"
        return [Cause("FieldValueInvalid", "spec", f"Invalid value: null: {text}")]
    causes: list[Cause] = []
    for index, rule in enumerate(spec.get("rules") or []):
        for number, path in enumerate((rule.get("http") or {}).get("paths") or []):
            here = f"spec.rules[{index}].http.paths[{number}]"
            kind = path.get("pathType")
            if not kind:
                causes.append(required(f"{here}.pathType", "pathType must be specified"))
            elif kind not in _PATH_TYPES:
                causes.append(not_supported(f"{here}.pathType", kind, _PATH_TYPES))
            elif not path.get("path", "").startswith("/") and (kind != "ImplementationSpecific" or path.get("path")):
                causes.append(invalid_value(f"{here}.path", path.get("path", ""), "must be an absolute path"))
    return causes


def validate_ingress_class(obj: JSON, old: JSON | None) -> list[Cause]:
    spec, before = obj.get("spec") or {}, (old or {}).get("spec") or {}
    if old is not None and spec.get("controller") != before.get("controller"):
        return [invalid_value("spec.controller", spec.get("controller", ""), "field is immutable")]
    return [] if spec.get("controller") else [required("spec.controller")]


def endpoints_defaults(obj: JSON) -> None:
    for subset in obj.get("subsets") or []:
        for port in subset.get("ports") or []:
            port.setdefault("protocol", "TCP")


def slice_defaults(obj: JSON) -> None:
    for port in obj.get("ports") or []:
        port.setdefault("name", "")
        port.setdefault("protocol", "TCP")


# ---- autoscalers


def autoscaler_defaults(obj: JSON) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("minReplicas", 1)
    if obj.get("apiVersion") == "autoscaling/v1":
        return
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": 80}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    behavior = spec.get("behavior")
    if behavior is not None:
        spec["behavior"] = _behavior(behavior)


def _behavior(behavior: JSON) -> JSON:
    up = [{"type": "Pods", "value": 4, "periodSeconds": 15}, {"type": "Percent", "value": 100, "periodSeconds": 15}]
    down = [{"type": "Percent", "value": 100, "periodSeconds": 15}]
    scale_up = {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": up}
    scale_down = {"selectPolicy": "Max", "policies": down}
    return {
        **behavior,
        "scaleUp": {**scale_up, **(behavior.get("scaleUp") or {})},
        "scaleDown": {**scale_down, **(behavior.get("scaleDown") or {})},
    }


def validate_autoscaler(obj: JSON, old: JSON | None) -> list[Cause]:
    spec = obj["spec"]
    causes: list[Cause] = []
    most, least = spec.get("maxReplicas", 0), spec.get("minReplicas", 1)
    if most < 1:
        causes.append(required("spec.maxReplicas", "must be set and greater than 0"))
    if most < least:
        text = "must be greater than or equal to `minReplicas`"
        causes.append(invalid_value("spec.maxReplicas", most, text))
    target = spec.get("scaleTargetRef") or {}
    for part in ("kind", "name"):
        if not target.get(part):
            causes.append(required(f"spec.scaleTargetRef.{part}"))
    if "/" not in target.get("apiVersion", "") and target.get("kind") != "ReplicationController":
        text = "apiVersion must specify API group"
        causes.append(invalid_value("spec.scaleTargetRef.apiVersion", target.get("apiVersion", ""), text))
    return causes


# ---- webhooks


def webhook_defaults(obj: JSON) -> None:
    for hook in obj.get("webhooks") or []:
        hook.setdefault("failurePolicy", "Fail")
        hook.setdefault("matchPolicy", "Equivalent")
        hook.setdefault("namespaceSelector", {})
        hook.setdefault("objectSelector", {})
        hook.setdefault("timeoutSeconds", 10)
        if obj.get("kind") == "MutatingWebhookConfiguration":
            hook.setdefault("reinvocationPolicy", "Never")
        service = (hook.get("clientConfig") or {}).get("service")
        if service is not None:
            service.setdefault("port", 443)
        for rule in hook.get("rules") or []:
            rule.setdefault("scope", "*")


def validate_webhooks(obj: JSON, old: JSON | None) -> list[Cause]:
    causes: list[Cause] = []
    for index, hook in enumerate(obj.get("webhooks") or []):
        path = f"webhooks[{index}]"
        if hook.get("name", "").count(".") < 2:
            text = "should be a domain with at least three segments separated by dots"
            causes.append(invalid_value(f"{path}.name", hook.get("name", ""), text))
        if hook.get("sideEffects") not in ("None", "NoneOnDryRun"):
            text = "must specify one of None, NoneOnDryRun"
            if not hook.get("sideEffects"):
                causes.append(required(f"{path}.sideEffects", text))
            else:
                causes.append(not_supported(f"{path}.sideEffects", hook["sideEffects"], ("None", "NoneOnDryRun")))
        if not hook.get("admissionReviewVersions"):
            text = "must specify one of v1, v1beta1"
            causes.append(required(f"{path}.admissionReviewVersions", text))
        url = (hook.get("clientConfig") or {}).get("url")
        if url is not None and urlsplit(url).scheme != "https":
            text = "'https' is the only allowed URL scheme; desired format: https://host[/path]"
            causes.append(invalid_value(f"{path}.clientConfig.url", urlsplit(url).scheme, text))
    return causes


# ---- certificate signing requests


def validate_signing_request(obj: JSON, old: JSON | None) -> list[Cause]:
    spec = obj["spec"]
    causes: list[Cause] = []
    request = spec.get("request")
    text = "PEM block type must be CERTIFICATE REQUEST"
    try:
        pem = base64.b64decode(request or "")
    except ValueError:
        pem = b""
    if b"BEGIN CERTIFICATE REQUEST" not in pem:
        causes.append(invalid_value("spec.request", request or None, text))
    if not spec.get("usages"):
        causes.append(required("spec.usages"))
    if not spec.get("signerName"):
        causes.append(required("spec.signerName"))
    return causes
