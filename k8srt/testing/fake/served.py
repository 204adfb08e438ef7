"""What a fake says it serves, where a test wants to say that. Contract: CLI-35."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from k8srt.apimachinery.meta import APIResourceList
from k8srt.apimachinery.schema import GroupVersion
from k8srt.apimachinery.wire import encode
from k8srt.testing.apiserver.failures import no_such_resource
from k8srt.testing.apiserver.messages import Request, Response

JSON = dict[str, Any]


class Served:
    """Answers discovery from a list that was set, and leaves it to the server while there is none. Thread-safe.

    It answers in the old form, group by group, which every client understands.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards both
        self._lists: dict[GroupVersion, JSON] | None = None
        self._version: JSON | None = None

    def set_resources(self, lists: Sequence[APIResourceList | Mapping[str, Any]] | None) -> None:
        """Serve these, in this order; the first version of a group is the preferred one. None: what is served."""
        found: dict[GroupVersion, JSON] | None = None if lists is None else {}
        for each in lists or ():
            document = msgspec.json.decode(encode(each))
            version = GroupVersion.parse(document.get("groupVersion") or "")
            if not version.version:
                raise ValueError("a list of resources must say its groupVersion")
            assert found is not None
            head = {"kind": "APIResourceList", "apiVersion": "v1"}
            found[version] = {**head, "resources": [], **document}
        with self._lock:
            self._lists = found

    def set_version(self, version: Mapping[str, Any] | None) -> None:
        with self._lock:
            self._version = None if version is None else dict(version)

    def answer(self, request: Request) -> Response | None:
        """The answer to a question about the server; None when it is the server's to answer."""
        with self._lock:
            lists, version = self._lists, self._version
        parts = [part for part in request.path.split("/") if part]
        if parts == ["version"] and version is not None:
            return _json(version)
        if lists is None or not parts or parts[0] not in ("api", "apis"):
            return None
        document = _discover(lists, parts)
        return Response(404, msgspec.json.encode(no_such_resource().status)) if document is None else _json(document)


def _json(document: JSON) -> Response:
    return Response(200, msgspec.json.encode(document))


def _discover(lists: Mapping[GroupVersion, JSON], parts: list[str]) -> JSON | None:
    groups: dict[str, list[str]] = {}
    for known in lists:
        groups.setdefault(known.group, []).append(known.version)
    match parts:
        case ["api"]:
            return {"kind": "APIVersions", "versions": groups.get("", [])}
        case ["apis"]:
            named = [_group(name, versions) for name, versions in groups.items() if name]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": named}
        case ["api", version]:
            return lists.get(GroupVersion("", version))
        case ["apis", name] if name in groups:
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, groups[name])}
        case ["apis", name, version]:
            return lists.get(GroupVersion(name, version))
    return None


def _group(name: str, versions: list[str]) -> JSON:
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}
