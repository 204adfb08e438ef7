"""The roles and bindings that a cluster has from the beginning, those of them that matter without its components.

`admin`, `edit` and `view` are gathered from other roles by label, as in a real cluster: who labels a role of their own
`rbac.authorization.k8s.io/aggregate-to-view: "true"` widens all three.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from k8srt.testing.apiserver.users import AUTHENTICATED, MASTERS, UNAUTHENTICATED

JSON = dict[str, Any]
GROUP = "rbac.authorization.k8s.io"
_LABELS = {"kubernetes.io/bootstrapping": "rbac-defaults"}
_ANNOTATIONS = {"rbac.authorization.kubernetes.io/autoupdate": "true"}
_READ = ("get", "list", "watch")
_CHANGE = ("create", "delete", "deletecollection", "patch", "update")
_ALL = (*_CHANGE[:3], *_READ[:2], *_CHANGE[3:], _READ[2])  # in the order of the alphabet


def _rule(verbs: Sequence[str], group: str, resources: str) -> JSON:
    return {"verbs": list(verbs), "apiGroups": [group], "resources": resources.split()}


def _paths(*paths: str) -> JSON:
    return {"verbs": ["get"], "nonResourceURLs": list(paths)}


def _role(name: str, rules: Sequence[JSON], *, into: str = "") -> JSON:
    labels = {**_LABELS, **({f"{GROUP}/aggregate-to-{into}": "true"} if into else {})}
    return {"metadata": {"name": name, "labels": labels, "annotations": _ANNOTATIONS}, "rules": list(rules)}


def _gathered(name: str, *, into: str = "") -> JSON:
    """A role made of those that are labelled to be part of it."""
    selector = {"matchLabels": {f"{GROUP}/aggregate-to-{name}": "true"}}
    return {**_role(name, (), into=into), "aggregationRule": {"clusterRoleSelectors": [selector]}, "rules": None}


def _binding(role: str, *groups: str) -> JSON:
    return {
        "metadata": {"name": role, "labels": _LABELS, "annotations": _ANNOTATIONS},
        "subjects": [{"kind": "Group", "name": group, "apiGroup": GROUP} for group in groups],
        "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": role},
    }


_TO_ADMIN = (
    _rule(["create"], "authorization.k8s.io", "localsubjectaccessreviews"),
    _rule(_ALL, GROUP, "rolebindings roles"),
)
_TO_EDIT = (
    _rule(_READ, "", "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy"),
    _rule(["impersonate"], "", "serviceaccounts"),
    _rule(_CHANGE, "", "pods pods/attach pods/exec pods/portforward pods/proxy"),
    _rule(["create"], "", "pods/eviction"),
    _rule(
        _CHANGE,
        "",
        "configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets "
        "serviceaccounts services services/proxy",
    ),
    _rule(["create"], "", "serviceaccounts/token"),
    _rule(
        _CHANGE,
        "apps",
        "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets "
        "statefulsets/scale",
    ),
    _rule(_CHANGE, "autoscaling", "horizontalpodautoscalers"),
    _rule(_CHANGE, "batch", "cronjobs jobs"),
    _rule(_CHANGE, "policy", "poddisruptionbudgets"),
    _rule(_CHANGE, "networking.k8s.io", "ingresses networkpolicies"),
    _rule(_ALL, "coordination.k8s.io", "leases"),
)
_TO_VIEW = (
    _rule(
        _READ,
        "",
        "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers "
        "replicationcontrollers/scale serviceaccounts services services/status",
    ),
    _rule(
        _READ,
        "",
        "bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status "
        "resourcequotas resourcequotas/status",
    ),
    _rule(_READ, "", "namespaces"),
    _rule(_READ, "discovery.k8s.io", "endpointslices"),
    _rule(
        _READ,
        "apps",
        "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets "
        "replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status",
    ),
    _rule(_READ, "autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status"),
    _rule(_READ, "batch", "cronjobs cronjobs/status jobs jobs/status"),
    _rule(_READ, "policy", "poddisruptionbudgets poddisruptionbudgets/status"),
    _rule(_READ, "networking.k8s.io", "ingresses ingresses/status networkpolicies"),
)
_DISCOVERY = _paths(
    *("/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz"),
    *("/version", "/version/"),
)
_MONITORING = _paths("/healthz", "/healthz/*", "/livez", "/livez/*", "/metrics", "/metrics/slis", "/readyz",
                     "/readyz/*")  # fmt: skip

CLUSTER_ROLES: tuple[JSON, ...] = (
    _role(
        "cluster-admin",
        [_rule("*", "*", "*"), {"verbs": ["*"], "nonResourceURLs": ["*"]}],
    ),
    _role("system:aggregate-to-admin", _TO_ADMIN, into="admin"),
    _role("system:aggregate-to-edit", _TO_EDIT, into="edit"),
    _role("system:aggregate-to-view", _TO_VIEW, into="view"),
    _gathered("view", into="edit"),
    _gathered("edit", into="admin"),
    _gathered("admin"),
    _role(
        "system:basic-user",
        [
            _rule(["create"], "authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews"),
            _rule(["create"], "authentication.k8s.io", "selfsubjectreviews"),
        ],
    ),
    _role("system:discovery", [_DISCOVERY]),
    _role("system:public-info-viewer", [_paths("/healthz", "/livez", "/readyz", "/version", "/version/")]),
    _role("system:monitoring", [_MONITORING]),
    _role(
        "system:auth-delegator",
        [
            _rule(["create"], "authentication.k8s.io", "tokenreviews"),
            _rule(["create"], "authorization.k8s.io", "subjectaccessreviews"),
        ],
    ),
    _role(
        "system:service-account-issuer-discovery",
        [_paths("/.well-known/openid-configuration", "/.well-known/openid-configuration/", "/openid/v1/jwks",
                "/openid/v1/jwks/")],
    ),
)  # fmt: skip
CLUSTER_ROLE_BINDINGS: tuple[JSON, ...] = (
    _binding("cluster-admin", MASTERS),
    _binding("system:basic-user", AUTHENTICATED),
    _binding("system:discovery", AUTHENTICATED),
    _binding("system:public-info-viewer", AUTHENTICATED, UNAUTHENTICATED),
    _binding("system:monitoring", "system:monitoring"),
    _binding("system:service-account-issuer-discovery", "system:serviceaccounts"),
)
