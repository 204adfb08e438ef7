"""Making merge patches. Contract: MACH-43, MACH-44."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from k8srt.apimachinery.documents import Document, plain
from k8srt.apimachinery.patch.error import PatchConflict
from k8srt.apimachinery.patch.jsonpatch import same
from k8srt.apimachinery.patch.merge import apply_merge_patch

Map = Mapping[str, Any]


IDENTITY = (("apiVersion",), ("kind",), ("metadata", "name"))
"""The paths that no patch of one object to the next may change: a value for `fixed`. Contract: MACH-44."""


def create_merge_patch(
    original: Document, modified: Document, *, fixed: Iterable[Sequence[str]] = ()
) -> dict[str, Any]:
    """Return the merge patch that turns `original` into `modified`; `{}` if they are equal. Contract: MACH-43.

    A merge patch cannot write null, so a null in `modified` deletes. A list that differs is sent as a whole. Raises
    PatchConflict if the patch would change a path in `fixed` (MACH-44).
    """
    patch = _difference(plain(original), plain(modified), deletions=True, changes=True)
    check_fixed(patch, fixed)
    return patch


def create_three_way_merge_patch(
    original: Document, modified: Document, current: Document, *, fixed: Iterable[Sequence[str]] = ()
) -> dict[str, Any]:
    """Return a merge patch for `current`, as `kubectl apply` makes it for custom resources. Contract: MACH-43.

    What `modified` no longer has though `original` had it is deleted; what it has and `current` lacks or has
    otherwise is set. Raises PatchConflict if the patch would change a path in `fixed` (MACH-44).
    """
    mine = plain(modified)
    changes = _difference(plain(current), mine, deletions=False, changes=True)
    deletions = _difference(plain(original), mine, deletions=True, changes=False)
    patch = _union(changes, deletions)
    check_fixed(patch, fixed)
    return patch


def _difference(original: Map, modified: Map, *, deletions: bool, changes: bool) -> dict[str, Any]:
    patch: dict[str, Any] = {}
    for key, value in modified.items():
        before = original.get(key)
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            if below := _difference(before, value, deletions=deletions, changes=changes):
                patch[key] = below
        elif changes and (key not in original or not same(before, value)):
            patch[key] = value
    if deletions:
        patch.update({key: None for key in original if key not in modified})
    return patch


def _union(one: Map, other: Map) -> dict[str, Any]:
    """Both patches in one; nulls stay."""
    result = dict(one)
    for key, value in other.items():
        mine = result.get(key)
        both = isinstance(mine, Mapping) and isinstance(value, Mapping)
        result[key] = _union(mine, value) if both else value  # type: ignore[arg-type]
    return result


def check_fixed(patch: Map, fixed: Iterable[Sequence[str]]) -> None:
    """Raise PatchConflict if a patch touches one of these paths. Contract: MACH-44."""
    for path in fixed:
        place: Any = patch
        for key in path:
            if not isinstance(place, Mapping) or key not in place:
                break
            place = place[key]
        else:
            raise PatchConflict(f"the patch changes {'.'.join(path)}, which it must not")


def changes_nothing(doc: Map, patch: Map) -> bool:
    """Whether a merge patch leaves a document as it is."""
    return same(apply_merge_patch(doc, patch), doc)
