"""Whether a program may do what it is about to do, asked before it does any of it. Contract: MGR-20.

Asked are: list and watch of every kind that is cached, and what the election and events need. Whatever is wrong is
told at once, in words that say what to grant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from k8srt.api.authorization.v1 import ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec
from k8srt.apimachinery.resource import ResourceInfo
from k8srt.controller.cache.cache import Cache
from k8srt.errors import K8srtError
from k8srt.kubernetes.clientset import Clientset


class PreflightFailed(K8srtError):
    """Something this program needs is not there, or not allowed; the message says all of it."""


class _Need(NamedTuple):
    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        what = f"{self.resource}.{self.group}" if self.group else self.resource
        where = f"in namespace {self.namespace}" if self.namespace else "in all namespaces"
        return f"{self.verb} {what}{f' {self.name}' if self.name else ''} {where}"


def find_problems(
    clientset: Clientset, cache: Cache, lease: tuple[str, str] | None, *, sharded: bool = False
) -> list[str]:
    """Everything that would not work, in words; empty if all is well. Asks the server for each right."""
    return [*_not_served(clientset, cache), *_not_allowed(clientset, _needs(cache, lease, sharded))]


def _watched(cache: Cache) -> list[tuple[ResourceInfo, str]]:
    """What is cached, and in which namespace."""
    return list(dict.fromkeys((each.info, each.namespace) for each in cache.status()))


def _not_served(clientset: Clientset, cache: Cache) -> Iterator[str]:
    for info in dict.fromkeys(info for info, _ in _watched(cache)):
        version = str(info.gvr.group_version)
        try:
            served = clientset.discovery.server_resources_for_group_version(version)
            found = any(each.name == info.gvr.resource for each in served.resources)
        except K8srtError as err:
            yield f"{info.kind}: the server does not serve {version}: {err}"
            continue
        if not found:
            yield f"{info.kind}: the server does not serve {info.gvr.resource} in {version}"


def _not_allowed(clientset: Clientset, needs: Iterable[_Need]) -> Iterator[str]:
    for need in needs:
        try:
            reason = _refusal(clientset, need)
        except K8srtError as err:
            yield f"whether this program may {need} cannot be found out: {err}"
            continue
        if reason is not None:
            yield f"this program may not {need}{f': {reason}' if reason else ''}"


def _needs(cache: Cache, lease: tuple[str, str] | None, sharded: bool) -> Iterator[_Need]:
    watched = _watched(cache)
    for info, namespace in watched:
        for verb in ("list", "watch"):
            yield _Need(verb, info.gvr.group, info.gvr.resource, namespace)
    if lease is not None and sharded:
        for verb in ("create", "delete", "get", "list", "update"):
            yield _Need(verb, "coordination.k8s.io", "leases", lease[0])
    elif lease is not None:
        for verb in ("get", "create", "update"):
            yield _Need(verb, "coordination.k8s.io", "leases", lease[0], "" if verb == "create" else lease[1])
    for namespace in dict.fromkeys(namespace for info, namespace in watched if info.namespaced):
        for verb in ("create", "patch"):
            yield _Need(verb, "events.k8s.io", "events", namespace)


def _refusal(clientset: Clientset, need: _Need) -> str | None:
    """Why something is not allowed, None if it is."""
    attributes = ResourceAttributes(
        verb=need.verb, group=need.group, resource=need.resource, namespace=need.namespace, name=need.name
    )
    review = SelfSubjectAccessReview(spec=SelfSubjectAccessReviewSpec(resource_attributes=attributes))
    answer = clientset.authorization_v1.self_subject_access_reviews().create(review)
    return None if answer.status.allowed else answer.status.reason or ""
