"""Patches that are computed when they are sent: from what an object was to what it is.

    base = foo.copy()
    foo.spec.replicas = 3
    client.patch(foo, merge_from(base, optimistic_lock=True))

Contract: CRC-03.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.patch.create import create_merge_patch
from k8srt.apimachinery.patch.strategiccreate import create_strategic_patch


@dataclass(frozen=True, slots=True)
class PatchFrom:
    """A patch from `base` to whatever is patched. What `base` is then counts, so do not change it before."""

    base: Object
    patch_type: Literal["merge", "strategic"]
    optimistic_lock: bool = False
    skip_empty: bool = False

    def __post_init__(self) -> None:
        if self.optimistic_lock and not self.base.metadata.resource_version:
            raise ValueError(f"{self.base!r} has no resource version, so it cannot be locked by it")

    def data(self, obj: Object) -> dict[str, Any]:
        """The patch. Raises PatchError when there can be none, ValueError when both are different objects."""
        base, meta = self.base.metadata, obj.metadata
        if (base.namespace or "", base.name) != (meta.namespace or "", meta.name):
            raise ValueError(f"a patch from {self.base!r} cannot be for {obj!r}")
        make = create_merge_patch if self.patch_type == "merge" else create_strategic_patch
        patch = make(self.base, obj)
        if self.optimistic_lock and (patch or not self.skip_empty):
            patch.setdefault("metadata", {})["resourceVersion"] = base.resource_version
        return patch


def merge_from(base: Object, *, optimistic_lock: bool = False, skip_empty: bool = False) -> PatchFrom:
    """A JSON merge patch from `base` to the object that is patched: lists that differ are sent whole.

    With `optimistic_lock` it fails with Conflict when the object has changed since `base` was read. A patch that
    changes nothing is sent, too, unless `skip_empty`: then the answer is the object, and nothing is asked.
    """
    return PatchFrom(base, "merge", optimistic_lock, skip_empty)


def strategic_merge_from(base: Object, *, optimistic_lock: bool = False, skip_empty: bool = False) -> PatchFrom:
    """The same as a strategic merge patch, which only built-in kinds take: items of lists are merged by their keys."""
    return PatchFrom(base, "strategic", optimistic_lock, skip_empty)
