"""Reaching what listens in pods, services and nodes, by way of the API server. Contract: CLI-08."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from k8srt.apimachinery.object import Object
from k8srt.gentype.requests import ResourceRequests
from k8srt.rest.request import Request

T = TypeVar("T", bound=Object)

_VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


class Proxies(ResourceRequests[T]):
    """Makes requests that the API server hands on."""

    __slots__ = ()

    def proxy_get(
        self,
        name: str,
        path: str = "",
        *,
        scheme: str = "",
        port: str | int = "",
        params: Mapping[str, str] | None = None,
    ) -> Request:
        """A GET of `path` at what is called `name`: send it with `.do_raw()`, or `.stream()` for a long answer.

        `port` is a number or a name, the first one if left out; `scheme` is "http" if left out.
        """
        return self.proxy("GET", name, path, scheme=scheme, port=port, params=params)

    def proxy(
        self,
        method: str,
        name: str,
        path: str = "",
        *,
        scheme: str = "",
        port: str | int = "",
        params: Mapping[str, str] | None = None,
    ) -> Request:
        """The same for another method: GET, POST, PUT, PATCH or DELETE; give it a body before it is sent."""
        if method not in _VERBS:
            raise ValueError(f"proxy: method must be one of {', '.join(_VERBS)}, not {method!r}")
        if not name:
            raise ValueError(f"proxy: {self._info.resource}: the object has no name")
        whole = f"{scheme}:{name}:{port}" if scheme else f"{name}:{port}" if port != "" else name
        request = self._at(_VERBS[method], method, whole, "proxy")
        if path:
            request.suffix(path)
        for key, value in (params or {}).items():
            request.param(key, value)
        return request
