"""What an informer is called in figures, so that no two publish under one name.

    name = InformerName("controller-manager")
    factory = SharedInformerFactory(cs, informer_name=name)
    ...
    name.release()

Contract: INF-64.
"""

from __future__ import annotations

import threading

from k8srt.apimachinery.schema import GroupVersionResource


class _Taken:
    """The names in use in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards _names
        self._names: set[str] = set()

    def take(self, name: str) -> None:
        with self._lock:
            if name in self._names:
                raise ValueError(f"informer name {name!r} is already in use")
            self._names.add(name)

    def give_back(self, name: str) -> None:
        with self._lock:
            self._names.discard(name)


_taken = _Taken()


class InformerName:
    """A name for a set of informers, unique in the process until it is released. Thread-safe."""

    def __init__(self, name: str) -> None:
        """Raises ValueError for a name that is empty or in use."""
        if not name:
            raise ValueError("an informer name must not be empty")
        _taken.take(name)
        self.name = name
        self._lock = threading.Lock()  # guards both below
        self._resources: set[GroupVersionResource] = set()
        self._released = False

    def with_resource(self, resource: GroupVersionResource) -> Identifier:
        """The identity of the informer of a resource. Only the first one asked for is reserved."""
        with self._lock:
            first = not self._released and resource not in self._resources
            self._resources.add(resource)
        return Identifier(self, resource, first)

    def release(self) -> None:
        """Let others have the name. Identities made of it publish nothing from now on. Twice is fine."""
        with self._lock:
            if self._released:
                return
            self._released = True
        _taken.give_back(self.name)

    @property
    def released(self) -> bool:
        with self._lock:
            return self._released

    def __repr__(self) -> str:
        return f"<InformerName {self.name!r}{' released' if self.released else ''}>"


class Identifier:
    """The identity of one informer: a name and a resource. Immutable, apart from the release of its name."""

    __slots__ = ("_first", "_owner", "resource")

    def __init__(self, owner: InformerName, resource: GroupVersionResource, first: bool) -> None:
        self._owner = owner
        self._first = first
        self.resource = resource

    @property
    def name(self) -> str:
        return self._owner.name

    @property
    def reserved(self) -> bool:
        """Whether figures may be published under this identity."""
        return self._first and not self._owner.released

    def __repr__(self) -> str:
        return f"<Identifier {self.name} {self.resource}{'' if self.reserved else ' not reserved'}>"
