"""What is made of the answers of a server, however they were come by: live, from memory or from disk.

Groups and versions keep the server's order, with the core group first. What was found is handed out as it is kept, so
whoever gets it does not change it.

Contract: CLI-19 to CLI-22.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, Self

from k8srt.apimachinery.meta import APIGroup, APIResource, APIResourceList
from k8srt.apimachinery.schema import GroupVersion
from k8srt.errors import GroupDiscoveryFailed, K8srtError
from k8srt.util.workqueue.parallelizer import parallelize_until

FETCHED_AT_ONCE = 10
"""How many group-versions are asked at once, where they must be asked one by one."""


Answer = APIResourceList | Exception
Failures = dict[GroupVersion, Exception]


class Found(NamedTuple):
    """The groups; what each group-version has, or None if that was not told; and what failed."""

    groups: list[APIGroup]
    resources: dict[GroupVersion, APIResourceList] | None
    failed: Failures


class Groups(NamedTuple):
    """All groups, and the lists of what their versions serve."""

    groups: list[APIGroup]
    resources: list[APIResourceList]


class Discovery(Protocol):
    """What mappers need of a discovery client."""

    def server_groups(self) -> list[APIGroup]: ...
    def server_resources_for_group_version(self, group_version: str, /) -> APIResourceList: ...
    def server_groups_and_resources(self) -> Groups: ...


class Served(abc.ABC):
    """The questions that need all groups, answered by two that need not."""

    tries = 1
    """How often all groups are asked when some have failed."""

    @abc.abstractmethod
    def groups_and_maybe_resources(self) -> Found:
        """The groups, and their resources where the server tells both at once."""

    @abc.abstractmethod
    def server_resources_for_group_version(self, group_version: str, /) -> APIResourceList:
        """What one group-version serves: "v1", "apps/v1". Raises ValueError for the empty text."""

    def server_groups(self) -> list[APIGroup]:
        """The groups and their versions, the core group (its name is empty) first."""
        return self.groups_and_maybe_resources().groups

    def server_groups_and_resources(self) -> Groups:
        """The groups, and what each version of them serves, in the order of the server.

        Raises GroupDiscoveryFailed when some groups could not be asked; its `partial` has the rest.
        """
        found = self._found()
        answer = Groups(found.groups, _in_order(found))
        if found.failed:
            raise GroupDiscoveryFailed(found.failed, answer)
        return answer

    def server_preferred_resources(self) -> list[APIResourceList]:
        """Each resource once: in the version its group prefers, else in the first that has it. No subresources.

        Raises GroupDiscoveryFailed when some groups could not be asked; its `partial` has the rest.
        """
        found = self._found()
        chosen = _preferred(found)
        if found.failed:
            raise GroupDiscoveryFailed(found.failed, chosen)
        return chosen

    def server_preferred_namespaced_resources(self) -> list[APIResourceList]:
        """Those of `server_preferred_resources` that live in namespaces. Raises as that does."""
        try:
            return _namespaced(self.server_preferred_resources())
        except GroupDiscoveryFailed as err:
            raise GroupDiscoveryFailed(err.groups, _namespaced(err.partial)) from err

    @abc.abstractmethod
    def close(self) -> None:
        """Close the idle connections, where there are any."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _found(self) -> Found:
        """Ask for everything, again where some has failed. Contract: CLI-18."""
        found = self._ask()
        for _ in range(1, self.tries):
            if not found.failed:
                break
            found = self._ask()
        return found

    def _ask(self) -> Found:
        found = self.groups_and_maybe_resources()
        if found.resources is not None:
            return found
        resources, failed = self._fetch(versions_of(found.groups))
        return Found(found.groups, resources, {**found.failed, **failed})

    def _at_hand(self, group_version: GroupVersion) -> Answer | None:
        """What can be told of a group-version without waiting for anybody."""
        return None

    def _fetch(self, wanted: Sequence[GroupVersion]) -> tuple[dict[GroupVersion, APIResourceList], Failures]:
        known = {version: answer for version in wanted if (answer := self._at_hand(version)) is not None}
        missing = [version for version in wanted if version not in known]
        known.update(ask_each(missing, lambda version: self.server_resources_for_group_version(str(version))))
        return sort_out(known)


def ask_each(
    wanted: Sequence[GroupVersion], ask: Callable[[GroupVersion], APIResourceList]
) -> dict[GroupVersion, Answer]:
    """Ask for each group-version, several at once; what fails is noted and costs nothing else."""
    answers: list[Answer | None] = [None] * len(wanted)

    def ask_one(index: int) -> None:
        try:
            answers[index] = ask(wanted[index])
        except K8srtError as err:
            answers[index] = err

    parallelize_until(None, FETCHED_AT_ONCE, len(wanted), ask_one)
    return {version: answer for version, answer in zip(wanted, answers, strict=True) if answer is not None}


def sort_out(answers: Mapping[GroupVersion, Answer]) -> tuple[dict[GroupVersion, APIResourceList], Failures]:
    """What was found, and what failed."""
    return (
        {version: answer for version, answer in answers.items() if isinstance(answer, APIResourceList)},
        {version: answer for version, answer in answers.items() if isinstance(answer, Exception)},
    )


def versions_of(groups: Iterable[APIGroup]) -> list[GroupVersion]:
    """Every version of these groups, in order."""
    return [GroupVersion(group.name or "", version.version) for group in groups for version in group.versions or ()]


def _in_order(found: Found) -> list[APIResourceList]:
    resources = found.resources or {}
    return [resources[version] for version in versions_of(found.groups) if version in resources]


def _preferred(found: Found) -> list[APIResourceList]:
    chosen: dict[tuple[str, str], tuple[GroupVersion, APIResource]] = {}
    resources = found.resources or {}
    for group in found.groups:
        preferred = group.preferred_version.version if group.preferred_version else ""
        for version in versions_of([group]):
            for resource in _plain(resources.get(version)):
                key = (version.group, resource.name)
                if key not in chosen or version.version == preferred:
                    chosen[key] = (version, resource)
    lists: dict[GroupVersion, list[APIResource]] = {version: [] for version in versions_of(found.groups)}
    for version, resource in chosen.values():
        lists[version].append(resource)
    return _lists(lists)


def _plain(listed: APIResourceList | None) -> Iterable[APIResource]:
    """The resources of a list that are no subresources."""
    return (resource for resource in (listed.resources or () if listed else ()) if "/" not in resource.name)


def _namespaced(lists: Iterable[APIResourceList]) -> list[APIResourceList]:
    kept = {each.group_version: [one for one in each.resources if one.namespaced] for each in lists}
    return _lists(kept)


def _lists(resources: Mapping[Any, list[APIResource]]) -> list[APIResourceList]:
    return [APIResourceList(group_version=str(version), resources=each) for version, each in resources.items() if each]
