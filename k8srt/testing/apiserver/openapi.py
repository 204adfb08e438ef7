"""OpenAPI documents, made of the model classes and the schemas of custom resources.

Enough for clients that validate (`kubectl apply`), merge (patch strategies) and explain. Descriptions are left out.
"""

from __future__ import annotations

import hashlib
import threading
from typing import Any

import msgspec

from k8srt.testing.apiserver import gnostic
from k8srt.testing.apiserver.messages import Request, Response
from k8srt.testing.apiserver.negotiation import answer, form_of
from k8srt.testing.apiserver.registry import Registry
from k8srt.testing.apiserver.schemas import v2_document, v3_document

JSON = dict[str, Any]


class OpenAPI:
    """Makes documents when they are first asked for, and keeps them until the registry changes. Thread-safe."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._lock = threading.Lock()  # guards the cache
        self._cache: dict[str, tuple[int, bytes]] = {}

    def serve(self, request: Request, parts: list[str]) -> Response:
        if parts[1:] == ["v2"]:
            if any(media in request.header("accept") for media in gnostic.ASKED_AS):
                return Response(200, self._document("v2.pb"), gnostic.MEDIA_TYPE)
            return self._answer(request, self._document("v2"))
        if len(parts) < 2 or parts[1] != "v3":
            return Response(404, b"404 page not found\n", "text/plain; charset=utf-8")
        if len(parts) == 2:
            return self._index(request)
        path = "/".join(parts[2:])
        if path not in self._paths():
            return Response(404, b"", "")
        return self._answer(request, self._document(path))

    def _paths(self) -> list[str]:
        groups = self._registry.groups()
        versions = [f"apis/{group}/{version}" for group in groups if group for version in groups[group]]
        return ["api/v1", *versions]

    def _index(self, request: Request) -> Response:
        paths = {}
        for path in self._paths():
            group = path.split("/")[1] if path.startswith("apis/") else ""
            version = path.split("/")[-1]
            tag = hashlib.sha256(f"{path}:{self._stamp(group, version)}".encode()).hexdigest().upper()
            paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={tag}"}
        body = msgspec.json.encode({"paths": paths})
        return Response(200, body, "text/plain; charset=utf-8")

    def _stamp(self, group: str, version: str) -> str:
        custom = any(resource.custom for resource in self._registry.resources(group, version))
        return str(self._registry.revision) if custom else "builtin"

    def _document(self, path: str) -> bytes:
        revision = self._registry.revision
        with self._lock:
            known = self._cache.get(path)
        if known is not None and known[0] == revision:
            return known[1]
        if path == "v2":
            body = msgspec.json.encode(v2_document(self._registry))
        elif path == "v2.pb":
            body = gnostic.encode_document(v2_document(self._registry))
        else:
            parts = path.split("/")
            group = parts[1] if parts[0] == "apis" else ""
            body = msgspec.json.encode(v3_document(self._registry, group, parts[-1]))
        with self._lock:
            self._cache[path] = (revision, body)
        return body

    @staticmethod
    def _answer(request: Request, body: bytes) -> Response:
        tag = '"' + hashlib.sha512(body).hexdigest().upper() + '"'
        if request.header("if-none-match") == tag:
            return Response(304, b"", "", [("ETag", tag)])
        response = answer(request, form_of(request, transforms=False), body)
        response.headers = [("ETag", tag), *(h for h in response.headers if h[0] != "Cache-Control")]
        return response
