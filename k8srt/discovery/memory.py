"""`MemCacheClient`: what a server serves, asked once and kept in memory. Contract: CLI-25."""

from __future__ import annotations

import logging
import threading
from typing import Any, Protocol

from k8srt.apimachinery.meta import APIGroup, APIResourceList
from k8srt.apimachinery.schema import GroupVersion
from k8srt.discovery.openapi import OpenAPIV3
from k8srt.discovery.served import Answer, Found, Served, ask_each, sort_out, versions_of
from k8srt.discovery.shared import Shared
from k8srt.discovery.version import VersionInfo
from k8srt.errors import (
    EmptyGroupVersion,
    StatusError,
    Stopped,
    TransportError,
    UnknownGroupVersion,
)

log = logging.getLogger(__name__)


class Live(Protocol):
    """What is asked when nothing is kept: a `DiscoveryClient`, or a fake."""

    def groups_and_maybe_resources(self) -> Found: ...
    def server_resources_for_group_version(self, group_version: str, /) -> APIResourceList: ...
    def server_version(self) -> VersionInfo: ...
    def openapi_v2(self) -> dict[str, Any]: ...
    def openapi_v3(self) -> OpenAPIV3: ...
    def invalidate(self) -> None: ...
    def close(self) -> None: ...


class _Known:
    """What was found at one time. `answers` is guarded by the client's lock."""

    def __init__(self, groups: list[APIGroup], answers: dict[GroupVersion, Answer], told_at_once: bool) -> None:
        self.groups = groups
        self.answers = answers
        self.told_at_once = told_at_once


class MemCacheClient(Served):
    """Keeps what `delegate` finds until `invalidate`. Thread-safe: of threads that find nothing kept, one asks.

    Errors are kept for each group-version, except those that may be over the next time.
    """

    def __init__(self, delegate: Live) -> None:
        self.delegate = delegate
        self._known: Shared[_Known] = Shared()
        self._openapi: Shared[OpenAPIV3] = Shared()
        self._lock = threading.Lock()  # guards the answers

    def groups_and_maybe_resources(self) -> Found:
        """The groups; their resources too if the server told them at once."""
        known = self._get()
        if known is None:
            return Found([], {}, {})
        if not known.told_at_once:
            return Found(known.groups, None, {})
        with self._lock:
            return Found(known.groups, *sort_out(known.answers))

    def server_resources_for_group_version(self, group_version: str, /) -> APIResourceList:
        """What one group-version serves. Raises UnknownGroupVersion when the server did not have it when asked."""
        if not group_version:
            raise ValueError("groupVersion shouldn't be empty")
        known = self._get()
        version = GroupVersion.parse(group_version)
        with self._lock:
            answer = known.answers.get(version) if known is not None else None
        if known is None or answer is None:
            raise UnknownGroupVersion(group_version)
        if isinstance(answer, Exception) and may_pass(answer):
            answer = self._ask_again(known, version)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def server_version(self) -> VersionInfo:
        """The version of the server, asked for each time."""
        return self.delegate.server_version()

    def openapi_v2(self) -> dict[str, Any]:
        """The OpenAPI v2 document, asked for each time."""
        return self.delegate.openapi_v2()

    def openapi_v3(self) -> OpenAPIV3:
        """The index of the OpenAPI v3 documents, kept like the rest."""
        found = self._openapi.get(self.delegate.openapi_v3)
        assert found is not None
        return found

    def fresh(self) -> bool:
        """Whether something is kept: asking the server again is then not worth it, unless something changed."""
        return self._known.peek() is not None

    def close(self) -> None:
        """Close the idle connections of what it asks."""
        self.delegate.close()

    def invalidate(self) -> None:
        """Forget everything."""
        self._known.forget()
        self._openapi.forget()
        self.delegate.invalidate()

    def _get(self) -> _Known | None:
        return self._known.get(self._load)

    def _load(self) -> _Known | None:
        found = self.delegate.groups_and_maybe_resources()
        if not found.groups:
            return None
        if found.resources is not None:
            return _Known(found.groups, {**found.resources, **found.failed}, told_at_once=True)
        answers = ask_each(versions_of(found.groups), self._ask_for)
        for version, failure in sort_out(answers)[1].items():
            log.log(
                logging.DEBUG if isinstance(failure, EmptyGroupVersion) else logging.WARNING,
                "couldn't get resource list for %s: %s",
                version,
                failure,
            )
        return _Known(found.groups, {**found.failed, **answers}, told_at_once=False)

    def _ask_for(self, version: GroupVersion) -> APIResourceList:
        """Ask the delegate; an empty list is an error."""
        listed = self.delegate.server_resources_for_group_version(str(version))
        if not listed.resources:
            raise EmptyGroupVersion(version)
        return listed

    def _ask_again(self, known: _Known, version: GroupVersion) -> Answer:
        answer = ask_each([version], self._ask_for)[version]
        with self._lock:
            known.answers[version] = answer
        return answer

    def _at_hand(self, group_version: GroupVersion) -> Answer | None:
        known = self._known.peek()
        with self._lock:
            answer = known.answers.get(group_version) if known is not None else None
        return None if isinstance(answer, Exception) and may_pass(answer) else answer

    def __repr__(self) -> str:
        return f"<MemCacheClient over {self.delegate!r}{', filled' if self.fresh() else ''}>"


def may_pass(error: Exception) -> bool:
    """Whether an error may be over the next time: no connection, time out, 429, 5xx. Contract: CLI-25."""
    if isinstance(error, StatusError):
        return error.code == 429 or error.code >= 500
    return isinstance(error, (TransportError, Stopped, TimeoutError))
