"""A server that answers discovery requests as a test says, without HTTP, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from k8srt.rest import Config
from k8srt.testing.apiserver.inprocess import InProcess
from k8srt.testing.apiserver.messages import Request, Response

JSON = dict[str, Any]
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

Answer = Response | JSON | Callable[[Request], Response]


class Answers:
    """Answers by path; anything else is a 404. Thread-safe."""

    def __init__(self, paths: dict[str, Answer]) -> None:
        self.paths = paths
        self.requests: list[Request] = []
        self._lock = threading.Lock()  # guards requests

    def handle(self, request: Request) -> Response:
        with self._lock:
            self.requests.append(request)
        answer = self.paths.get(request.path)
        if answer is None:
            return Response(404, b"404 page not found\n", "text/plain")
        if isinstance(answer, Response):
            return answer
        return answer(request) if callable(answer) else Response(200, json.dumps(answer).encode())

    @property
    def asked(self) -> list[str]:
        return [request.path for request in self.requests]

    def config(self, **more: Any) -> Config:
        return Config(host="http://fake", transport=InProcess(self.handle), qps=-1.0, **more)


def failure(code: int, message: str = "no") -> Response:
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message}
    return Response(code, json.dumps(status).encode())


# ---- the plain form ------------------------------------------------------------------------------------------------


def versions(*names: str) -> JSON:
    return {"kind": "APIVersions", "versions": list(names)}


def group(name: str, *names: str, preferred: str = "") -> JSON:
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in names]
    chosen = preferred or names[0]
    return {
        "name": name,
        "versions": listed,
        "preferredVersion": {"groupVersion": f"{name}/{chosen}", "version": chosen},
    }


def group_list(*groups: JSON) -> JSON:
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": list(groups)}


def resource(name: str, kind: str, *, namespaced: bool = True, verbs: str = "get list", **more: Any) -> JSON:
    return {
        "name": name,
        "singularName": kind.lower(),
        "namespaced": namespaced,
        "kind": kind,
        "verbs": verbs.split(),
        **more,
    }


def resource_list(group_version: str, *resources: JSON) -> JSON:
    return {"kind": "APIResourceList", "groupVersion": group_version, "resources": list(resources)}


PODS = resource("pods", "Pod", shortNames=["po"], categories=["all"])
NODES = resource("nodes", "Node", namespaced=False, shortNames=["no"])
DEPLOYMENTS = resource("deployments", "Deployment", shortNames=["deploy"], categories=["all"])
SCALE = resource("deployments/scale", "Scale", group="autoscaling", version="v1", verbs="get patch update")


def plain(**more: Answer) -> Answers:
    """Core v1, apps/v1, and batch in two versions; `more` replaces answers, by path with _ for /."""
    paths: dict[str, Answer] = {
        "/api": versions("v1"),
        "/apis": group_list(group("apps", "v1"), group("batch", "v1beta1", "v1", preferred="v1")),
        "/api/v1": resource_list("v1", PODS, resource("pods/log", "Pod", verbs="get"), NODES),
        "/apis/apps/v1": resource_list("apps/v1", DEPLOYMENTS, SCALE),
        "/apis/batch/v1": resource_list("batch/v1", resource("jobs", "Job")),
        "/apis/batch/v1beta1": resource_list("batch/v1beta1", resource("jobs", "Job"), resource("olds", "Old")),
    }
    paths.update({"/" + name.replace("_", "/"): answer for name, answer in more.items()})
    return Answers(paths)


# ---- the aggregated form -------------------------------------------------------------------------------------------


def told(name: str, kind: str, *, group: str = "", version: str = "v1", scope: str = "Namespaced", **more: Any) -> JSON:
    return {
        "resource": name,
        "responseKind": {"group": group, "version": version, "kind": kind},
        "scope": scope,
        "singularResource": kind.lower(),
        "verbs": ["get", "list"],
        **more,
    }


def told_group(name: str, **by_version: list[JSON] | None) -> JSON:
    """A group with resources by version; None stands for a stale one."""
    listed = [
        {"version": version, "resources": resources or [], "freshness": "Stale" if resources is None else "Current"}
        for version, resources in by_version.items()
    ]
    return {"metadata": {"name": name}, "versions": listed}


def aggregated(*groups: JSON) -> Response:
    body = {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": list(groups)}
    return Response(200, json.dumps(body).encode(), AGGREGATED)


SCALABLE = told(
    "deployments",
    "Deployment",
    group="apps",
    shortNames=["deploy"],
    categories=["all"],
    subresources=[
        {
            "subresource": "scale",
            "responseKind": {"group": "autoscaling", "version": "v1", "kind": "Scale"},
            "verbs": ["get", "patch", "update"],
        }
    ],
)
CORE = told_group("", v1=[told("pods", "Pod", shortNames=["po"]), told("nodes", "Node", scope="Cluster")])


def at_once(*groups: JSON) -> Answers:
    """A server with the aggregated form: core, apps/v1 and these groups."""
    return Answers({"/api": aggregated(CORE), "/apis": aggregated(told_group("apps", v1=[SCALABLE]), *groups)})
