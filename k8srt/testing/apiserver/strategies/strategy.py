"""The shape of a strategy: everything the generic engine asks about one kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from k8srt.testing.apiserver.failures import Cause

if TYPE_CHECKING:
    from k8srt.testing.apiserver.cluster import Cluster

JSON = dict[str, Any]
Check = Callable[[JSON, JSON | None], list[Cause]]
Change = Callable[[JSON], None]
Fields = Callable[[JSON], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Write:
    """What a strategy's hook is told about the write it takes part in."""

    cluster: Cluster
    namespace: str
    name: str
    dry_run: bool
    subresource: str = ""
    user: Any = None
    warnings: list[str] = field(default_factory=list)


Hook = Callable[[JSON, JSON | None, Write], None]


def _nothing(obj: JSON) -> None:
    return None


def _valid(obj: JSON, old: JSON | None) -> list[Cause]:
    return []


def _no_hook(obj: JSON, old: JSON | None, write: Write) -> None:
    return None


def _no_fields(obj: JSON) -> Mapping[str, str]:
    return {}


def _no_grace(obj: JSON, asked: int | None) -> int | None:
    return None


def _not_waiting(obj: JSON, now: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Strategy:
    """One kind's facts. Every one has a default that suits most kinds."""

    # What the kind starts with and what is filled in; called on every read of a client's document.
    defaults: Change = _nothing
    # What is wrong with an object, given the old one on updates.
    validate: Check = _valid
    # Rules of names: a function giving the complaint about a name, or None.
    name_rule: str = "subdomain"
    # Called before validation on creates and updates of the main resource: allocates addresses, resets fields.
    prepare: Hook = _no_hook
    # Called before the write on creates and updates of the status.
    prepare_status: Hook = _no_hook
    # Called with the object after it has been stored for the first time, changed, removed.
    created: Hook = _no_hook
    updated: Hook = _no_hook
    removed: Hook = _no_hook
    # generation counts changes of everything but metadata and status; `annotations` counts those too.
    generation: bool = False
    annotations_count: bool = False
    # Whether a PUT may create it, and may leave the resource version out.
    create_on_update: bool = False
    unconditional: bool = True
    # Whether a DELETE answers with the object (instead of a Status).
    answers_object: bool = False
    # Seconds of grace a deletion gives the object, from what was asked for; None for kinds that know no grace.
    grace: Callable[[JSON, int | None], int | None] = _no_grace
    # Called on an object that is being deleted, with the present moment; True when it stays until it is finalized.
    terminating: Callable[[JSON, str], bool] = _not_waiting
    # The propagation policy of a DELETE that names none.
    orphans: bool = False
    orphan_warning: str = ""
    # Field selectors beyond metadata.name and metadata.namespace; `exclusive_message`: how an unknown one is refused.
    fields: Fields = _no_fields
    field_names: tuple[str, ...] = ()
    # Whether an unknown field selector is refused with the old message, of kinds with a conversion function.
    own_conversion: bool = False
    # Whether a client may set the status through the main resource, although there is a subresource.
    keeps_status: bool = False
    # Fills in the status that a new object starts with.
    first_status: Change = _nothing
    # Whether a write of the status leaves the labels alone.
    status_keeps_labels: bool = False
    # A warning for every request of a deprecated kind.
    deprecated: str = ""


PLAIN = Strategy()
