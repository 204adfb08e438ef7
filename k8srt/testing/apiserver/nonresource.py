"""Paths that name no resource: health, version, discovery, OpenAPI."""

from __future__ import annotations

from typing import Any

import msgspec

from k8srt.testing.apiserver.accounts import ISSUER, ServiceAccountTokens
from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.discovery import Discovery
from k8srt.testing.apiserver.failures import method_not_allowed, no_such_resource
from k8srt.testing.apiserver.messages import Request, Response
from k8srt.testing.apiserver.negotiation import Form, answer, form_of
from k8srt.testing.apiserver.openapi import OpenAPI
from k8srt.testing.apiserver.requests import RequestInfo

JSON = dict[str, Any]
_OPENID = ("/.well-known/openid-configuration", "/openid/v1/jwks")
TEXT = "text/plain; charset=utf-8"
VERSION: JSON = {
    "major": "1",
    "minor": "36",
    "gitVersion": "v1.36.0+k8srt",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "2026-01-01T00:00:00Z",
    "goVersion": "none",
    "compiler": "CPython",
    "platform": "python/any",
}
_CHECKS = ("ping", "log", "etcd", "poststarthook/start-apiextensions-controllers", "poststarthook/crd-informer-synced")
_PATHS = ("/api", "/api/v1", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version")


class NonResource:
    """Serves what is no resource. Thread-safe."""

    def __init__(self, cluster: Cluster, discovery: Discovery) -> None:
        self._cluster = cluster
        self._discovery = discovery
        self._openapi = OpenAPI(cluster.registry)

    def serve(self, request: Request, info: RequestInfo) -> Response:
        parts = [part for part in request.path.split("/") if part]
        head = parts[0] if parts else ""
        if head in ("healthz", "livez", "readyz"):
            return self._health(request, parts)
        if head in ("api", "apis"):
            return self._discover(request, parts)
        if head == "openapi":
            return self._openapi.serve(request, parts)
        if head == "version" and len(parts) == 1:
            if request.method not in ("GET", "HEAD"):
                raise method_not_allowed()
            return answer(request, Form(pretty=True), VERSION)
        if request.path.rstrip("/") in _OPENID:
            return self._openid(request)
        if not parts:
            return answer(request, Form(pretty=True), {"paths": self._paths()})
        return self.not_found()

    def _openid(self, request: Request) -> Response:
        """How others verify the tokens of service accounts; nobody can where they are signed with a secret."""
        accounts: ServiceAccountTokens = self._cluster.accounts
        keys = accounts.key.public()
        if request.method != "GET":
            raise method_not_allowed()
        if not keys:
            return self.not_found()
        headers = [("Cache-Control", "public, max-age=3600")]
        if "jwks" in request.path:
            return Response(200, msgspec.json.encode({"keys": keys}), "application/jwk-set+json", headers)
        told = {
            "issuer": ISSUER,
            "jwks_uri": f"{ISSUER}/openid/v1/jwks",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [key["alg"] for key in keys],
        }
        return Response(200, msgspec.json.encode(told), "application/json", headers)

    @staticmethod
    def not_found() -> Response:
        return Response(404, b"404 page not found\n", TEXT)

    def _paths(self) -> list[str]:
        groups = self._cluster.registry.groups()
        named = [f"/apis/{group}" for group in groups if group]
        versions = [f"/apis/{group}/{version}" for group in groups if group for version in groups[group]]
        return sorted({*_PATHS, *named, *versions})

    def _health(self, request: Request, parts: list[str]) -> Response:
        if len(parts) > 1:
            name = "/".join(parts[1:])
            return Response(200, b"ok", TEXT) if name in _CHECKS else self.not_found()
        if "verbose" in request.query:
            lines = [f"[+]{check} ok" for check in _CHECKS]
            text = "\n".join((*lines, f"{parts[0]} check passed", ""))
            return Response(200, text.encode(), TEXT)
        return Response(200, b"ok", TEXT)

    # ---- discovery

    def _discover(self, request: Request, parts: list[str]) -> Response:
        legacy = parts[0] == "api"
        if len(parts) == 1:
            return self._root(request, legacy)
        if legacy:
            return self._resources(request, "", parts[1])
        if len(parts) == 2:
            document = self._discovery.group(parts[1])
            if document is None:
                return self.not_found()
            return answer(request, form_of(request), document)
        if not self._cluster.registry.has_group(parts[1]):
            return self.not_found()
        return self._resources(request, parts[1], parts[2])

    def _root(self, request: Request, legacy: bool) -> Response:
        version = _aggregated_version(request)
        if version:
            body, tag = self._discovery.aggregated(legacy=legacy, version=version)
            media = f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
            headers = [("ETag", tag), ("Vary", "Accept"), ("Cache-Control", "public")]
            if request.header("if-none-match") == tag:
                return Response(304, b"", "", headers)
            response = answer(request, Form(), body)
            response.content_type = media
            response.headers = [*headers, *(h for h in response.headers if h[0] == "Content-Encoding")]
            return response
        document = self._discovery.api_versions() if legacy else self._discovery.group_list()
        response = answer(request, form_of(request, transforms=False), document)
        response.headers.append(("Vary", "Accept"))
        return response

    def _resources(self, request: Request, group: str, version: str) -> Response:
        document = self._discovery.resource_list(group, version)
        if document is None:
            raise no_such_resource()
        return answer(request, form_of(request), document)


def _aggregated_version(request: Request) -> str:
    """The version of aggregated discovery a client prefers to the plain group list, or the empty text."""
    for clause in request.header("accept").split(","):
        media, *params = (part.strip() for part in clause.split(";"))
        options = dict(param.split("=", 1) for param in params if "=" in param)
        if media not in ("application/json", "*/*"):
            continue
        if not options.get("as"):
            return ""
        if options["as"] == "APIGroupDiscoveryList" and options.get("g") == "apidiscovery.k8s.io":
            version = options.get("v", "")
            if version in ("v2", "v2beta1"):
                return version
    return ""
