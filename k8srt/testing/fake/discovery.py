"""Discovery that a test can set. Contract: CLI-35."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from k8srt.apimachinery.meta import APIResourceList
from k8srt.apimachinery.wire import encode
from k8srt.discovery.client import DiscoveryClient
from k8srt.discovery.memory import MemCacheClient
from k8srt.discovery.version import VersionInfo
from k8srt.rest.client import RESTClient
from k8srt.testing.fake.actions import Actions
from k8srt.testing.fake.server import FakeServer


class FakeDiscovery(MemCacheClient):
    """The discovery client of a fake: it tells what the cluster serves, or what it is set to tell.

        fake.discovery.resources = [APIResourceList(group_version="v1", resources=[...])]
        fake.discovery.version = VersionInfo(major="1", minor="29", git_version="v1.29.0")

    Whatever is set, every discovery client made of the fake's `config` is told; what the cluster serves stays what it
    is. To have a group fail, put a reactor on its path: `fake.fail("get", "/apis/apps/v1", errors.ServiceUnavailable)`
    after `resources` were set.
    """

    def __init__(self, rest_client: RESTClient, server: FakeServer) -> None:
        super().__init__(DiscoveryClient.over(rest_client))
        self._server = server

    @property
    def actions(self) -> Actions:
        """The questions so far: `get /apis`, `get /version`. Answers that are kept are not asked for again."""
        return self._server.questions()

    @property
    def resources(self) -> list[APIResourceList]:
        """What is served, group-version by group-version. Setting it to None goes back to what the cluster serves."""
        return self.server_groups_and_resources().resources

    @resources.setter
    def resources(self, lists: Sequence[APIResourceList | Mapping[str, Any]] | None) -> None:
        self._server.served.set_resources(lists)
        self.invalidate()

    @property
    def version(self) -> VersionInfo:
        """The version of the server. Setting it to None goes back to the cluster's own."""
        return self.server_version()

    @version.setter
    def version(self, version: VersionInfo | Mapping[str, Any] | None) -> None:
        self._server.served.set_version(None if version is None else msgspec.json.decode(encode(version)))

    def __repr__(self) -> str:
        return f"<FakeDiscovery, {len(self.actions)} questions>"
