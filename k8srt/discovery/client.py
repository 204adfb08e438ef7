"""`DiscoveryClient`: asks a server what it serves. `MemCacheClient` and `CachedDiscoveryClient` keep the answers.

    discovery = DiscoveryClient(config)
    for listed in discovery.server_preferred_resources():
        print(listed.group_version, [resource.name for resource in listed.resources])

Contract: CLI-18 to CLI-24.
"""

from __future__ import annotations

from typing import Any, Self, TypeVar
from urllib.parse import parse_qsl

import msgspec

from k8srt.apimachinery.meta import APIGroup, APIGroupList, APIResourceList, APIVersions, GroupVersionForDiscovery
from k8srt.apimachinery.model import Struct
from k8srt.discovery import aggregated
from k8srt.discovery.etags import ETags
from k8srt.discovery.openapi import OpenAPIV3
from k8srt.discovery.served import Found, Served
from k8srt.discovery.version import VersionInfo
from k8srt.errors import DecodeError, NotFound
from k8srt.rest.client import RESTClient
from k8srt.rest.config import Config
from k8srt.rest.connected import Connected
from k8srt.rest.limits import make_limiter
from k8srt.rest.result import Result
from k8srt.util.clock import SYSTEM, Clock

TIMEOUT = 32.0
"""Seconds that a request may take where the config does not say. Contract: CLI-18."""

BURST = 300
"""Requests at once where the config does not say: a server without the aggregated form is asked for each version."""

_JSON = "application/json"

S = TypeVar("S", bound=Struct)


class DiscoveryClient(Connected, Served):
    """Asks a server what it serves, each time anew. Thread-safe; opens nothing when made.

    `legacy` has it never ask for the aggregated form. `http_cache_dir` is a folder for answers that the server can
    confirm by their ETag instead of sending them again.
    """

    tries = 2

    def __init__(
        self, config: Config, *, legacy: bool = False, http_cache_dir: str = "", clock: Clock = SYSTEM
    ) -> None:
        """Raises ConfigError for a config that cannot be used."""
        self._set_up(RESTClient(config, clock=clock), legacy, http_cache_dir)

    @classmethod
    def over(cls, rest_client: RESTClient, *, legacy: bool = False, http_cache_dir: str = "") -> Self:
        """A client over the connections of another.

        It has a rate limit of its own, with room for 300 requests at once, unless the config brings a limiter.
        """
        made = object.__new__(cls)
        made._set_up(rest_client, legacy, http_cache_dir)
        return made

    def _set_up(self, rest_client: RESTClient, legacy: bool, http_cache_dir: str) -> None:
        rest = rest_client.for_group_version("")
        rest.config = rest.config.copy()
        rest.config.timeout = rest.config.timeout or TIMEOUT
        rest.config.burst = rest.config.burst or BURST
        rest.rate_limiter = make_limiter(rest.config)
        self.rest_client = rest
        self._legacy = legacy
        self._etags = ETags(http_cache_dir) if http_cache_dir else None

    # ---- groups and resources -------------------------------------------------------------------------------------

    def groups_and_maybe_resources(self) -> Found:
        """The groups, and their resources if the server has the aggregated form. Contract: CLI-19, CLI-20."""
        core, named = self._core(), self._named()
        resources = None
        if core.resources is not None and named.resources is not None:
            resources = {**core.resources, **named.resources}
        return Found(core.groups + named.groups, resources, {**core.failed, **named.failed})

    def server_resources_for_group_version(self, group_version: str, /) -> APIResourceList:
        """What one group-version serves. Raises NotFound when it is none of the server's. Contract: CLI-23."""
        if not group_version:
            raise ValueError("groupVersion shouldn't be empty")
        path = "/api/v1" if group_version == "v1" else f"/apis/{group_version}"
        try:
            listed = self._struct(self._get(path), APIResourceList)
        except NotFound:
            if group_version == "v1":
                return APIResourceList(group_version="v1", resources=[])
            raise
        listed.group_version = listed.group_version or group_version
        listed.resources = listed.resources or []
        return listed

    def _core(self) -> Found:
        """What `/api` tells: the core group."""
        answer = self._root("/api")
        if answer is None:
            return Found([], {}, {})
        if aggregated.is_aggregated(answer.content_type):
            return self._aggregated(answer)
        told = self._struct(answer, APIVersions)
        versions = [GroupVersionForDiscovery(group_version=name, version=name) for name in told.versions or ()]
        if not versions:
            return Found([], None, {})
        return Found([APIGroup(name="", versions=versions, preferred_version=versions[0])], None, {})

    def _named(self) -> Found:
        """What `/apis` tells: all other groups."""
        answer = self._root("/apis")
        if answer is None:
            return Found([], {}, {})
        if aggregated.is_aggregated(answer.content_type):
            return self._aggregated(answer)
        return Found(list(self._struct(answer, APIGroupList).groups or ()), None, {})

    def _root(self, path: str) -> Result | None:
        try:
            return self._get(path, _JSON if self._legacy else aggregated.ACCEPT)
        except NotFound:  # a server that extends another has no groups of the one or the other sort
            return None

    def _aggregated(self, answer: Result) -> Found:
        try:
            return aggregated.read(answer.raw())
        except msgspec.MsgspecError as err:
            raise DecodeError(f"{answer.target.url}: cannot read the aggregated discovery: {err}") from err

    # ---- the rest -------------------------------------------------------------------------------------------------

    def server_version(self) -> VersionInfo:
        """The version of the server."""
        return self._struct(self._get("/version"), VersionInfo)

    def openapi_v2(self) -> dict[str, Any]:
        """The OpenAPI v2 document, megabytes of it, as plain values. Contract: CLI-24."""
        answer = self._get("/openapi/v2", _JSON)
        return _json(answer)

    def openapi_v3(self) -> OpenAPIV3:
        """The index of the OpenAPI v3 documents, one for each group-version. Contract: CLI-24."""
        return OpenAPIV3.of(_json(self._get("/openapi/v3", _JSON)), self._uri)

    def _uri(self, uri: str) -> dict[str, Any]:
        """The document at a URI as the index gives it: with a query, and the server's own prefix if it has one."""
        path, _, query = uri.partition("?")
        return _json(self._get(path, _JSON, query))

    def _get(self, path: str, accept: str = _JSON, query: str = "") -> Result:
        request = self.rest_client.get().abs_path(path).header("Accept", accept)
        for name, value in parse_qsl(query):
            request.param(name, value)
        return self._etags.fetch(request) if self._etags is not None else request.do()

    @staticmethod
    def _struct(answer: Result, cls: type[S]) -> S:
        return answer.into(cls)

    def invalidate(self) -> None:
        """Nothing is kept, so nothing is forgotten."""

    def fresh(self) -> bool:
        """Always true: every answer is the server's own."""
        return True


def _json(answer: Result) -> dict[str, Any]:
    try:
        return msgspec.json.decode(answer.raw(), type=dict[str, Any])
    except msgspec.MsgspecError as err:
        raise DecodeError(f"{answer.target.url}: expected a JSON object: {err}") from err
