"""What happened to an object, as sources tell predicates and handlers. Objects in it belong to who gets it."""

from __future__ import annotations

from typing import Any, NamedTuple


class CreateEvent(NamedTuple):
    """An object is there. `is_in_initial_list`: it was, before anybody looked."""

    object: Any
    is_in_initial_list: bool = False


class UpdateEvent(NamedTuple):
    """An object has changed; or not, where both have one resource version: then it is a resync."""

    old: Any
    new: Any

    @property
    def object(self) -> Any:
        return self.new

    @property
    def is_resync(self) -> bool:
        """Whether nothing has changed."""
        version: str = self.new.metadata.resource_version or ""
        return bool(version) and version == (self.old.metadata.resource_version or "")


class DeleteEvent(NamedTuple):
    """An object is gone. `delete_state_unknown`: its end was missed, and this is the last that was seen of it."""

    object: Any
    delete_state_unknown: bool = False


class GenericEvent(NamedTuple):
    """Something outside the cluster says that an object should be looked at."""

    object: Any


Event = CreateEvent | UpdateEvent | DeleteEvent | GenericEvent
