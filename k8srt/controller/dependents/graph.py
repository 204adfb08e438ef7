"""The order of dependents: which come after which. Checked when it is made.

Contract: DEP-03.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from k8srt.controller.dependents.member import Member


class Graph:
    """Members by name, those they come after, and those that come after them. Immutable."""

    def __init__(self, members: Iterable[Member]) -> None:
        """Raises TypeError for what is no dependent; ValueError for a name that comes twice, one that is nobody's, and
        members that wait for one another."""
        self.members: dict[str, Member] = {}
        for member in members:
            if not isinstance(member, Member):
                raise TypeError(f"dependents: expected a Dependent or an ExternalDependent, got {member!r}")
            if member.name in self.members:
                raise ValueError(f"two dependents are called {member.name!r}: give one of them another name=")
            self.members[member.name] = member
        self.before: Mapping[str, Collection[str]] = {each.name: each.depends_on for each in self.members.values()}
        self.after: dict[str, list[str]] = {name: [] for name in self.members}
        for name, others in self.before.items():
            for other in others:
                if other not in self.members:
                    known = ", ".join(self.members)
                    raise ValueError(f"dependent {name} depends on {other!r}, which is none of {known}")
                self.after[other].append(name)
        try:
            self.order = list(TopologicalSorter(self.before).static_order())
        except CycleError as err:
            raise ValueError(f"dependents wait for one another: {' after '.join(reversed(err.args[1]))}") from None

    def behind(self, names: Iterable[str]) -> set[str]:
        """These, and all that come after them, however far."""
        found: set[str] = set()
        left = list(names)
        while left:
            name = left.pop()
            if name not in found:
                found.add(name)
                left += self.after[name]
        return found
