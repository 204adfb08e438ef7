"""What a request asks for: verb, group, version, resource, namespace, name, subresource."""

from __future__ import annotations

from dataclasses import dataclass

from k8srt.testing.apiserver.messages import Request

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "GET": "get", "HEAD": "get"}
_KNOWN = frozenset({*_VERBS.values(), "list", "watch", "deletecollection"})
_NAMESPACE_SUBRESOURCES = ("status", "finalize")


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """A request, taken apart as the real server does; `resource` is empty for paths that name none.

    `verb` is what authorization speaks of: get, list, watch, create, update, patch, delete, deletecollection,
    and for other paths the method in lower case.
    """

    verb: str
    path: str
    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    rest: tuple[str, ...] = ()

    @property
    def kubernetes_verb(self) -> str:
        """The verb, where the method stands for one."""
        return self.verb if self.verb in _KNOWN else ""

    @property
    def is_resource(self) -> bool:
        return bool(self.resource)

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version


def request_info(request: Request) -> RequestInfo:
    """Take the path apart: /api/v1/…, /apis/GROUP/VERSION/…, or anything else."""
    verb = request.method.lower()
    parts = [part for part in request.path.split("/") if part]
    if len(parts) >= 3 and parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    elif len(parts) >= 4 and parts[0] == "apis":
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return RequestInfo(verb, request.path)
    return _resource_info(request, group, version, rest)


def _resource_info(request: Request, group: str, version: str, parts: list[str]) -> RequestInfo:
    verb = _VERBS.get(request.method, request.method.lower())
    old_watch = parts[0] == "watch" and len(parts) > 1
    if old_watch:  # /api/v1/watch/…: deprecated, still served
        parts = parts[1:]
    namespace = ""
    if parts[0] == "namespaces" and len(parts) > 1:
        namespace = parts[1]
        if len(parts) > 2 and parts[2] not in _NAMESPACE_SUBRESOURCES:
            parts = parts[2:]
    resource = parts[0]
    name = parts[1] if len(parts) > 1 else ""
    subresource = parts[2] if len(parts) > 2 else ""
    if verb == "get":
        if old_watch or (not name and request.flag("watch")):
            verb = "watch"
        elif not name:
            verb = "list"
    elif verb == "delete" and not name:
        verb = "deletecollection"
    return RequestInfo(verb, request.path, group, version, namespace, resource, subresource, name, tuple(parts[3:]))
