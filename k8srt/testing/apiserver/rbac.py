"""Role-based access control: rules, bindings, the default roles that matter, and who may grant what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from k8srt.testing.apiserver.auth import User
from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.failures import forbidden
from k8srt.testing.apiserver.requests import RequestInfo

JSON = dict[str, Any]
GROUP = "rbac.authorization.k8s.io"
MASTERS = "system:masters"
_READ = ["get", "list", "watch"]
_EDITED = {
    "": ["pods", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "configmaps", "events",
         "persistentvolumeclaims", "replicationcontrollers", "replicationcontrollers/scale", "secrets",
         "serviceaccounts", "services", "services/proxy", "endpoints", "pods/eviction"],
    "apps": ["daemonsets", "deployments", "deployments/rollback", "deployments/scale", "replicasets",
             "replicasets/scale", "statefulsets", "statefulsets/scale", "controllerrevisions"],
    "batch": ["cronjobs", "jobs"],
    "autoscaling": ["horizontalpodautoscalers"],
    "policy": ["poddisruptionbudgets"],
    "networking.k8s.io": ["ingresses", "networkpolicies"],
    "coordination.k8s.io": ["leases"],
}  # fmt: skip
_VIEWED = ["bindings", "limitranges", "namespaces", "namespaces/status", "pods/log", "pods/status", "resourcequotas"]


def _rules(verbs: list[str], *, secrets: bool) -> list[JSON]:
    rules = []
    for group, resources in _EDITED.items():
        kept = [each for each in resources if secrets or each != "secrets"]
        rules.append({"apiGroups": [group], "resources": kept, "verbs": verbs})
    return [*rules, {"apiGroups": [""], "resources": _VIEWED, "verbs": _READ}]


_ALL_VERBS = ["create", "delete", "deletecollection", *_READ, "patch", "update"]
_PUBLIC_PATHS = ["/healthz", "/livez", "/readyz", "/version", "/version/"]
_DISCOVERY_PATHS = ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz",
                    "/version", "/version/"]  # fmt: skip
_SELF = [
    {"apiGroups": ["authorization.k8s.io"], "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
     "verbs": ["create"]},
    {"apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"], "verbs": ["create"]},
]  # fmt: skip
_EVERYTHING = [
    {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
    {"nonResourceURLs": ["*"], "verbs": ["*"]},
]
_OWN_ROLES = {"apiGroups": [GROUP], "resources": ["roles", "rolebindings"], "verbs": _ALL_VERBS}


def _role(name: str, rules: list[JSON]) -> JSON:
    return {"metadata": {"name": name, "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}}, "rules": rules}


def _binding(role: str, *groups: str) -> JSON:
    subjects = [{"kind": "Group", "name": group, "apiGroup": GROUP} for group in groups]
    ref = {"apiGroup": GROUP, "kind": "ClusterRole", "name": role}
    labels = {"kubernetes.io/bootstrapping": "rbac-defaults"}
    return {"metadata": {"name": role, "labels": labels}, "subjects": subjects, "roleRef": ref}


CLUSTER_ROLES: list[JSON] = [
    _role("cluster-admin", _EVERYTHING),
    _role("admin", [*_rules(_ALL_VERBS, secrets=True), _OWN_ROLES]),
    _role("edit", _rules(_ALL_VERBS, secrets=True)),
    _role("view", _rules(_READ, secrets=False)),
    _role("system:basic-user", _SELF),
    _role("system:discovery", [{"nonResourceURLs": _DISCOVERY_PATHS, "verbs": ["get"]}]),
    _role("system:public-info-viewer", [{"nonResourceURLs": _PUBLIC_PATHS, "verbs": ["get"]}]),
]
CLUSTER_ROLE_BINDINGS: list[JSON] = [
    _binding("cluster-admin", MASTERS),
    _binding("system:basic-user", "system:authenticated"),
    _binding("system:discovery", "system:authenticated"),
    _binding("system:public-info-viewer", "system:authenticated", "system:unauthenticated"),
]


class Grant(NamedTuple):
    """A rule that holds for somebody, and by which binding; `namespace` is empty for the whole cluster."""

    rule: JSON
    namespace: str
    why: str


class RBAC:
    """Decides by the roles and bindings that are stored. Thread-safe."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def allows(self, user: User, info: RequestInfo) -> bool:
        return self.reason(user, info) is not None

    def reason(self, user: User, info: RequestInfo) -> str | None:
        """Why the user may, or None. Masters may everything and need no reason."""
        if MASTERS in user.groups:
            return ""
        for grant in self.grants(user, info.namespace):
            if covers(grant.rule, info):
                return grant.why
        return None

    def grants(self, user: User, namespace: str) -> Iterator[Grant]:
        """The rules that hold for a user in a namespace."""
        for binding in self._objects(f"clusterrolebindings.{GROUP}", ""):
            yield from self._of_binding(user, binding, "")
        if namespace:
            for binding in self._objects(f"rolebindings.{GROUP}", namespace):
                yield from self._of_binding(user, binding, namespace)

    def _objects(self, table: str, namespace: str) -> list[JSON]:
        return [stored.decode() for stored in self._cluster.storage.page(table, namespace).items]

    def _of_binding(self, user: User, binding: JSON, namespace: str) -> Iterator[Grant]:
        for subject in binding.get("subjects") or []:
            if _is_subject(user, subject, namespace):
                kind, name = binding["roleRef"]["kind"], binding["roleRef"]["name"]
                what = "RoleBinding" if namespace else "ClusterRoleBinding"
                shown = f"{binding['metadata']['name']}/{namespace}" if namespace else binding["metadata"]["name"]
                who = f'{subject["kind"]} "{subject["name"]}"'
                why = f'RBAC: allowed by {what} "{shown}" of {kind} "{name}" to {who}'
                for rule in self.rules_of(kind, name, namespace):
                    yield Grant(rule, namespace, why)
                return

    def rules_of(self, kind: str, name: str, namespace: str) -> list[JSON]:
        table = f"roles.{GROUP}" if kind == "Role" else f"clusterroles.{GROUP}"
        role = self._cluster.find(table, namespace if kind == "Role" else "", name)
        return (role or {}).get("rules") or []

    # ---- who may grant what

    def check_grant(self, user: User, kind: str, obj: JSON, namespace: str) -> None:
        """Nobody grants more than they have. Raises Failure(403)."""
        if MASTERS in user.groups:
            return
        plural = kind.lower() + "s"
        if plural.endswith("bindings"):
            ref = obj["roleRef"]
            wanted = self.rules_of(ref.get("kind", ""), ref.get("name", ""), namespace)
            resource = f"{ref.get('kind', '').lower()}s"
            target = RequestInfo("bind", "", GROUP, "v1", namespace, resource, "", ref.get("name", ""))
        else:
            wanted = obj.get("rules") or []
            target = RequestInfo("escalate", "", GROUP, "v1", namespace, plural, "", obj["metadata"]["name"])
        held = [grant.rule for grant in self.grants(user, namespace)]
        missing = [rule for rule in wanted if not _held(rule, held)]
        if missing and not any(covers(rule, target) for rule in held):
            groups = " ".join(f'"{group}"' for group in user.groups)
            lines = "\n".join(_shown(rule) for rule in missing)
            why = (
                f'user "{user.name}" (groups=[{groups}]) is attempting to grant RBAC permissions not currently held:'
                f"\n{lines}"
            )
            raise forbidden(GROUP, plural, obj["metadata"]["name"], why)


def _is_subject(user: User, subject: JSON, namespace: str) -> bool:
    kind, name = subject.get("kind"), subject.get("name")
    if kind == "User":
        return bool(user.name == name)
    if kind == "Group":
        return name in user.groups
    where = subject.get("namespace") or namespace
    return bool(user.name == f"system:serviceaccount:{where}:{name}")


def covers(rule: JSON, info: RequestInfo) -> bool:
    """Whether a rule allows a request."""
    if not _among(info.verb, rule.get("verbs")):
        return False
    if not info.is_resource:
        return any(_path_matches(pattern, info.path) for pattern in rule.get("nonResourceURLs") or ())
    if not _among(info.group, rule.get("apiGroups")):
        return False
    if not _resource_matches(rule.get("resources") or (), info.resource, info.subresource):
        return False
    names = rule.get("resourceNames")
    return not names or info.name in names


def _among(value: str, values: Any) -> bool:
    return bool(values) and ("*" in values or value in values)


def _resource_matches(patterns: Any, resource: str, subresource: str) -> bool:
    whole = f"{resource}/{subresource}" if subresource else resource
    return "*" in patterns or whole in patterns or (bool(subresource) and f"*/{subresource}" in patterns)


def _path_matches(pattern: str, path: str) -> bool:
    if pattern.endswith("*"):
        return path.startswith(pattern[:-1])
    return pattern == path


def _held(rule: JSON, held: list[JSON]) -> bool:
    """Whether everything a rule allows is allowed by what somebody holds."""
    for verb in rule.get("verbs") or ():
        for path in rule.get("nonResourceURLs") or ():
            if not any(covers(each, RequestInfo(verb, path)) for each in held):
                return False
        for group in rule.get("apiGroups") or ():
            for whole in rule.get("resources") or ():
                resource, _, subresource = whole.partition("/")
                for name in rule.get("resourceNames") or ("",):
                    info = RequestInfo(verb, "", group, "", "", resource, subresource, name)
                    if not any(covers(each, info) for each in held):
                        return False
    return True


_PARTS = (("apiGroups", "APIGroups"), ("resources", "Resources"), ("resourceNames", "ResourceNames"),
          ("nonResourceURLs", "NonResourceURLs"), ("verbs", "Verbs"))  # fmt: skip


def _shown(rule: JSON) -> str:
    parts = []
    for name, title in _PARTS:
        if rule.get(name):
            values = " ".join(f'"{value}"' for value in rule[name])
            parts.append(f"{title}:[{values}]")
    return "{" + ", ".join(parts) + "}"
