"""`CachedDiscoveryClient`: what a server serves, kept in files that other processes, kubectl among them, share.

    discovery = CachedDiscoveryClient.for_config(config)        # beside kubectl's own files, in ~/.kube/cache

The layout is kubectl's: `servergroups.json`, and `<group>/<version>/serverresources.json` for each group-version
(`v1/…` for the core group). A file counts for `ttl` seconds after it was written. Files appear all at once, so readers
never see half of one; a file that cannot be read or written is as if it were not there.

Contract: CLI-26.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from typing import Any, Self, TypeVar

import msgspec

from k8srt.apimachinery.meta import APIGroupList, APIResourceList
from k8srt.apimachinery.model import Struct
from k8srt.apimachinery.schema import GroupVersion
from k8srt.apimachinery.wire import decoder, encode
from k8srt.discovery.client import DiscoveryClient
from k8srt.discovery.files import write_file
from k8srt.discovery.memory import Live, MemCacheClient
from k8srt.discovery.openapi import OpenAPIV3
from k8srt.discovery.served import Answer, Found, Served
from k8srt.discovery.version import VersionInfo
from k8srt.rest.config import Config
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.homedir import home_dir

log = logging.getLogger(__name__)

TTL = 6 * 3600.0
"""Seconds that kubectl's files count."""

_UNSAFE = re.compile(r"[^(\w/.)]", re.ASCII)

S = TypeVar("S", bound=Struct)


def cache_dir_for_host(parent: str, host: str) -> str:
    """The folder that kubectl uses for a server: `~/.kube/cache/discovery` and its URL make `…/127.0.0.1_6443`."""
    schemeless = host.replace("https://", "", 1).replace("http://", "", 1)
    return os.path.join(parent, _UNSAFE.sub("_", schemeless))


class CachedDiscoveryClient(Served):
    """Keeps what `delegate` finds in files under `dir`. Thread-safe, and safe between processes.

    After `invalidate` only files written by this object count. What is empty, or incomplete because a group failed, is
    not kept.
    """

    def __init__(self, delegate: Live, dir: str, ttl: float = TTL, *, clock: Clock = SYSTEM) -> None:
        self.delegate = delegate
        self.dir = os.fspath(dir)
        self.ttl = ttl
        self._clock = clock
        self._lock = threading.Lock()  # guards the three below
        self._ours: set[str] = set()
        self._invalidated = False
        self._fresh = True

    @classmethod
    def for_config(
        cls, config: Config, dir: str = "", *, http_cache_dir: str = "", ttl: float = TTL, clock: Clock = SYSTEM
    ) -> Self:
        """A client for a server: files over memory over requests.

        Without `dir` the files are kubectl's: those under `$KUBECACHEDIR`, else `~/.kube/cache`.
        """
        if not dir:
            home = os.environ.get("KUBECACHEDIR") or os.path.join(home_dir(), ".kube", "cache")
            dir = cache_dir_for_host(os.path.join(home, "discovery"), config.base_url())
        live = DiscoveryClient(config, http_cache_dir=http_cache_dir, clock=clock)
        return cls(MemCacheClient(live), dir, ttl, clock=clock)

    def groups_and_maybe_resources(self) -> Found:
        """The groups, from their file if it counts. Resources have files of their own."""
        path = os.path.join(self.dir, "servergroups.json")
        kept = self._read(path, APIGroupList)
        if kept is not None:
            return Found(kept.groups or [], None, {})
        found = self.delegate.groups_and_maybe_resources()
        if found.groups and not found.failed:
            self._write(path, APIGroupList(kind="APIGroupList", api_version="v1", groups=found.groups))
        return Found(found.groups, None, found.failed)

    def server_resources_for_group_version(self, group_version: str, /) -> APIResourceList:
        """What one group-version serves, from its file if it counts. Raises as the delegate does."""
        kept = self._at_hand(GroupVersion.parse(group_version)) if group_version else None
        if isinstance(kept, APIResourceList):
            return kept
        listed = self.delegate.server_resources_for_group_version(group_version)
        if listed.resources:
            named = msgspec.structs.replace(listed, kind="APIResourceList", api_version="v1")
            self._write(self._path(GroupVersion.parse(group_version)), named)
        return listed

    def server_version(self) -> VersionInfo:
        """The version of the server, asked for each time."""
        return self.delegate.server_version()

    def openapi_v2(self) -> dict[str, Any]:
        """The OpenAPI v2 document, asked for each time (see `http_cache_dir` of `DiscoveryClient`)."""
        return self.delegate.openapi_v2()

    def openapi_v3(self) -> OpenAPIV3:
        """The index of the OpenAPI v3 documents."""
        return self.delegate.openapi_v3()

    def fresh(self) -> bool:
        """Whether everything told so far came from the server or from files written by this object."""
        with self._lock:
            return self._fresh

    def close(self) -> None:
        """Close the idle connections of what it asks."""
        self.delegate.close()

    def invalidate(self) -> None:
        """Take no notice of files that others wrote, and of those written so far."""
        with self._lock:
            self._ours.clear()
            self._fresh = True
            self._invalidated = True
        self.delegate.invalidate()

    # ---- files ----------------------------------------------------------------------------------------------------

    def _path(self, version: GroupVersion) -> str:
        return os.path.join(self.dir, version.group, version.version, "serverresources.json")

    def _at_hand(self, group_version: GroupVersion) -> Answer | None:
        return self._read(self._path(group_version), APIResourceList)

    def _read(self, path: str, cls: type[S]) -> S | None:
        with self._lock:
            ours = path in self._ours
            if self._invalidated and not ours:
                return None
        try:
            with open(path, "rb") as file:
                if self._clock.time().timestamp() > os.fstat(file.fileno()).st_mtime + self.ttl:
                    return None
                kept: S = decoder(cls).decode(file.read())
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as err:
            log.debug("%s: cannot be used: %s", path, err)
            return None
        with self._lock:
            self._fresh = self._fresh and ours
        return kept

    def _write(self, path: str, value: Struct) -> None:
        try:
            write_file(path, encode(value) + b"\n")
        except OSError as err:
            log.debug("%s: cannot be written, so the next process asks again: %s", path, err)
            return
        with self._lock:
            self._ours.add(path)

    def __repr__(self) -> str:
        return f"<CachedDiscoveryClient in {self.dir} over {self.delegate!r}>"
