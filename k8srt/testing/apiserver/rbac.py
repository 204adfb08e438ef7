"""Role-based access control: rules, bindings, and who may grant what. The default roles are in `rbac_defaults`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from k8srt.testing.apiserver.auth import User
from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.failures import forbidden, not_found
from k8srt.testing.apiserver.rbac_defaults import GROUP
from k8srt.testing.apiserver.requests import RequestInfo
from k8srt.testing.apiserver.users import MASTERS
from k8srt.testing.apiserver.watches import Change

JSON = dict[str, Any]
_EVERYTHING: list[JSON] = [
    {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
    {"verbs": ["*"], "nonResourceURLs": ["*"]},
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
        # What is stored, decoded: replaced by an empty one, never emptied, so that who fills one that is out of date
        # fills one that nobody asks.
        self._known: dict[tuple[str, str], list[JSON]] = {}
        cluster.storage.listen(self._note)

    def _note(self, table: str, change: Change) -> None:
        if table.endswith(GROUP):
            self._known = {}

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
        known = self._known
        found = known.get((table, namespace))
        if found is None:
            found = [stored.decode() for stored in self._cluster.storage.page(table, namespace).items]
            known[table, namespace] = found
        return found

    def _of_binding(self, user: User, binding: JSON, namespace: str) -> Iterator[Grant]:
        for subject in binding.get("subjects") or []:
            if _is_subject(user, subject, namespace):
                kind, name = binding["roleRef"]["kind"], binding["roleRef"]["name"]
                what = "RoleBinding" if namespace else "ClusterRoleBinding"
                shown = f"{binding['metadata']['name']}/{namespace}" if namespace else binding["metadata"]["name"]
                who = _shown_subject(subject, namespace)
                why = f'RBAC: allowed by {what} "{shown}" of {kind} "{name}" to {who}'
                for rule in self._rules_of(kind, name, namespace) or []:
                    yield Grant(rule, namespace, why)
                return

    def _rules_of(self, kind: str, name: str, namespace: str) -> list[JSON] | None:
        """None for a role that is not there."""
        table = f"roles.{GROUP}" if kind == "Role" else f"clusterroles.{GROUP}"
        for role in self._objects(table, namespace if kind == "Role" else ""):
            if role["metadata"]["name"] == name:
                return role.get("rules") or []
        return None

    # ---- who may grant what

    def check_grant(self, user: User, kind: str, obj: JSON, old: JSON | None, namespace: str) -> None:
        """Nobody grants more than they have, unless they may `bind` or `escalate`. Raises Failure: 403, or 404 for a
        role that is not there."""
        if MASTERS in user.groups:
            return
        name = obj["metadata"].get("name", "")
        plural = kind.lower() + "s"
        if plural.endswith("bindings"):
            ref = obj["roleRef"]
            resource = f"{ref.get('kind', '').lower()}s"
            target = RequestInfo("bind", "", GROUP, "v1", namespace, resource, "", ref.get("name", ""))
            if self.allows(user, target):
                return
            wanted = self._rules_of(ref.get("kind", ""), ref.get("name", ""), namespace)
            if wanted is None:
                raise not_found(GROUP, resource, ref.get("name", ""))
        else:
            if self.allows(user, RequestInfo("escalate", "", GROUP, "v1", namespace, plural, "", name if old else "")):
                return
            gathered = obj.get("aggregationRule") or (old or {}).get("aggregationRule")
            wanted = _EVERYTHING if gathered else obj.get("rules") or []
        held = [grant.rule for grant in self.grants(user, namespace)]
        missing = [each for rule in wanted for each in _pieces(rule) if not _is_held(each, held)]
        if missing:
            groups = " ".join(f'"{group}"' for group in user.groups)
            lines = "\n".join(sorted({_shown(rule) for rule in _compact(missing)}))
            why = (
                f'user "{user.name}" (groups=[{groups}]) is attempting to grant RBAC permissions not currently held:'
                f"\n{lines}"
            )
            raise forbidden(GROUP, plural, name, why)


def _shown_subject(subject: JSON, namespace: str) -> str:
    if subject["kind"] == "ServiceAccount":
        return f'ServiceAccount "{subject["name"]}/{subject.get("namespace") or namespace}"'
    return f'{subject["kind"]} "{subject["name"]}"'


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


def _pieces(rule: JSON) -> Iterator[JSON]:
    """A rule taken apart: each piece allows one verb on one resource, or on one path."""
    for path in rule.get("nonResourceURLs") or ():
        for verb in rule.get("verbs") or ():
            yield {"nonResourceURLs": [path], "verbs": [verb]}
    for group in rule.get("apiGroups") or ():
        for resource in rule.get("resources") or ():
            for verb in rule.get("verbs") or ():
                piece: JSON = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
                if not rule.get("resourceNames"):
                    yield piece
                for name in rule.get("resourceNames") or ():
                    yield {**piece, "resourceNames": [name]}


def _is_held(piece: JSON, held: list[JSON]) -> bool:
    """Whether what a piece of a rule allows is allowed by what somebody holds."""
    [verb] = piece["verbs"]
    if "nonResourceURLs" in piece:
        info = RequestInfo(verb, piece["nonResourceURLs"][0])
    else:
        resource, _, subresource = piece["resources"][0].partition("/")
        [name] = piece.get("resourceNames") or [""]
        info = RequestInfo(verb, "", piece["apiGroups"][0], "", "", resource, subresource, name)
    return any(covers(each, info) for each in held)


def _compact(pieces: list[JSON]) -> list[JSON]:
    """Pieces that differ by verb alone, put together."""
    simple: dict[tuple[str, str], JSON] = {}
    others: list[JSON] = []
    for piece in pieces:
        if "resourceNames" in piece or "nonResourceURLs" in piece:
            others.append(piece)
            continue
        key = (piece["apiGroups"][0], piece["resources"][0])
        if key in simple:
            simple[key] = {**piece, "verbs": simple[key]["verbs"] + piece["verbs"]}
        else:
            simple[key] = piece
    return [*others, *simple.values()]


_PARTS = (("apiGroups", "APIGroups"), ("resources", "Resources"), ("resourceNames", "ResourceNames"),
          ("nonResourceURLs", "NonResourceURLs"), ("verbs", "Verbs"))  # fmt: skip


def _shown(rule: JSON) -> str:
    parts = []
    for name, title in _PARTS:
        if rule.get(name):
            values = " ".join(f'"{value}"' for value in rule[name])
            parts.append(f"{title}:[{values}]")
    return "{" + ", ".join(parts) + "}"
