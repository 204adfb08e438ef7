"""Making strategic merge patches, as `kubectl apply` and `kubectl edit` make them. Contract: MACH-42 to MACH-44."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from k8srt.apimachinery.documents import Document, plain
from k8srt.apimachinery.patch.create import check_fixed
from k8srt.apimachinery.patch.error import PatchConflict, PatchError
from k8srt.apimachinery.patch.jsonpatch import same
from k8srt.apimachinery.patch.listorder import identity
from k8srt.apimachinery.patch.merging import Kind, merging_of
from k8srt.apimachinery.patch.strategic import DELETE_FROM, DIRECTIVE, RETAIN_KEYS, SET_ORDER, apply_strategic_merge
from k8srt.apimachinery.structure import ANY, Structure

Map = dict[str, Any]
REPLACE = {DIRECTIVE: "replace"}
"""As an item, it says that the others are the whole list."""


def create_strategic_patch(
    original: Document, modified: Document, structure: Kind = None, *, fixed: Iterable[Sequence[str]] = ()
) -> Map:
    """Return the patch that turns `original` into `modified`; `{}` if they are equal. Contract: MACH-43.

    Raises PatchError if neither `structure` (or a class) nor the kind of `modified` tells how its lists merge,
    PatchConflict if the patch would change a path in `fixed` (MACH-44).
    """
    patch = _two_ways(plain(original), plain(modified), merging_of(structure, modified, original))
    check_fixed(patch, fixed)
    return patch


def _two_ways(original: Map, modified: Map, structure: Structure) -> Map:
    return _Difference(deletions=True, changes=True).of_maps(original, modified, structure, retain=False)


def create_three_way_strategic_patch(
    original: Document,
    modified: Document,
    current: Document,
    structure: Kind = None,
    *,
    overwrite: bool = True,
    fixed: Iterable[Sequence[str]] = (),
) -> Map:
    """Return a patch for `current`: deletions from (original, modified), all else from (current, modified).

    Raises PatchConflict if it would change a path in `fixed` (MACH-44), or without `overwrite` what others have
    changed since `original` in another way (MACH-43); PatchError as `create_strategic_patch`.
    """
    known = merging_of(structure, modified, current, original)
    before, mine, now = plain(original), plain(modified), plain(current)
    delta = _Difference(deletions=False, changes=True, before=before).of_maps(now, mine, known, retain=False)
    gone = _Difference(deletions=True, changes=False).of_maps(before, mine, known, retain=False)
    patch = _joined(gone, delta, known)
    check_fixed(patch, fixed)
    if not overwrite:
        theirs = _two_ways(before, now, known)
        if (path := _conflict(patch, theirs, known, ())) is not None:
            raise PatchConflict(f"{'.'.join(path)} has been changed by somebody else: {theirs}, and not to {patch}")
    return patch


@dataclass(frozen=True)
class _Difference:
    """Walks two documents. `deletions`: tell what is gone; `changes`: tell what is new or other.

    `before` is the part of what was applied last that stands where the walk is; only of three ways there is one.
    """

    deletions: bool
    changes: bool
    before: Any = None

    def _below(self, key: str) -> _Difference:
        return self if self.before is None else replace(self, before=_get(self.before, key))

    def _in_item(self, name: str, key: Any) -> _Difference:
        if self.before is None:
            return self
        items = self.before if isinstance(self.before, list) else []
        return replace(self, before=next((item for item in items if _get(item, name) == key), None))

    def of_maps(self, original: Map, modified: Map, structure: Structure, *, retain: bool) -> Map:
        patch: Map = {}
        for key, value in modified.items():
            if key not in original:
                self._change(patch, key, value)
            else:
                self._below(key)._field(patch, key, original[key], value, structure.child(key) or ANY)
        missing = [key for key in original if key not in modified]
        if self.deletions:
            patch.update(dict.fromkeys(missing))
        kept = sorted(key for key, value in modified.items() if value is not None)
        if retain and kept and (patch or missing):
            patch[RETAIN_KEYS] = kept
        return patch

    def _change(self, patch: Map, key: str, value: Any) -> None:
        if self.changes:
            patch[key] = value

    def _field(self, patch: Map, key: str, old: Any, new: Any, structure: Structure) -> None:
        if isinstance(old, dict) and isinstance(new, dict) and "replace" not in structure.patch:
            below = self.of_maps(old, new, structure, retain="retainKeys" in structure.patch)
            if below:
                patch[key] = below
        elif isinstance(old, list) and isinstance(new, list) and "merge" in structure.patch:
            self._lists(patch, key, old, new, structure)
        elif not same(old, new):
            self._change(patch, key, new)

    def _lists(self, patch: Map, key: str, old: list[Any], new: list[Any], structure: Structure) -> None:
        if not old and not _ambiguous(new, structure.patch_key):
            if new:
                self._change(patch, key, new)
            return
        if any(isinstance(item, list) for item in (*old, *new)):
            raise PatchError("lists of lists are not supported")
        if any(isinstance(item, dict) for item in (*old, *new)):
            self._lists_of_maps(patch, key, old, new, structure)
        else:
            self._lists_of_scalars(patch, key, old, new)

    def _lists_of_scalars(self, patch: Map, key: str, old: list[Any], new: list[Any]) -> None:
        added = [item for item in new if item not in old] if self.changes else []
        gone = [item for item in old if item not in new] if self.deletions else []
        if added:
            patch[key] = added
        if gone:
            patch[DELETE_FROM + key] = gone
        if added or gone or not _same_order(old, new, None):
            patch[SET_ORDER + key] = new

    def _lists_of_maps(self, patch: Map, key: str, old: list[Any], new: list[Any], structure: Structure) -> None:
        name = structure.patch_key
        if not name:
            raise PatchError(f"cannot make a patch of lists without merge key for {structure!r}")
        if _ambiguous(old, name) or _ambiguous(new, name):
            self._ambiguous_lists(patch, key, old, new, structure)
            return
        before = {identity(item, name): item for item in old}
        after = {identity(item, name): item for item in new}
        items = [
            each
            for wanted, item in after.items()
            if (each := self._in_item(name, wanted)._item(before.get(wanted), item, name, structure))
        ]
        if self.deletions:
            items += [{name: each, DIRECTIVE: "delete"} for each in sorted(before.keys() - after.keys(), key=str)]
        if items:
            patch[key] = items
        if items or not _same_order(old, new, name):
            patch[SET_ORDER + key] = [{name: each} for each in after]

    def _ambiguous_lists(self, patch: Map, key: str, old: list[Any], new: list[Any], structure: Structure) -> None:
        """Lists with several items of one key, as ports 53 of two protocols: no patch can name one of them.

        So the list is replaced. kubectl makes patches here that mix the items up.
        """
        name = structure.patch_key or ""
        after = {identity(item, name) for item in new}
        others = [item for item in old if identity(item, name) not in after]
        if not self.changes:
            if others:
                patch[key] = [{name: each, DIRECTIVE: "delete"} for each in {identity(i, name): None for i in others}]
            return
        wanted = new if self.deletions else [*self._as_they_are(old, new, structure.items or ANY), *others]
        if not same(old, wanted):
            patch[key] = [REPLACE, *wanted]

    def _as_they_are(self, old: list[Any], new: list[Any], items: Structure) -> list[Any]:
        """The new items; in place of one that is there already, that: with what others set, less what is gone."""
        left, applied = list(old), self.before if isinstance(self.before, list) else []
        found = []
        for item in new:
            there = next((each for each in left if _holds(each, item, items)), None)
            if there is None:
                found.append(item)
                continue
            left.remove(there)
            last = next((each for each in applied if _holds(there, each, items) and _holds(each, item, items)), item)
            gone = _Difference(deletions=True, changes=False).of_maps(last, item, items, retain=False)
            found.append(apply_strategic_merge(there, gone, items))
        return found

    def _item(self, old: Map | None, new: Map, name: str, structure: Structure) -> Map | None:
        if old is None:
            return new if self.changes else None
        retain = "retainKeys" in structure.patch
        below = self.of_maps(old, new, structure.items or ANY, retain=retain)
        return {**below, name: new[name]} if below else None


def _get(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _holds(item: Map, less: Map, structure: Structure) -> bool:
    """Whether an item says all that another one says."""
    return not _Difference(deletions=False, changes=True).of_maps(item, less, structure, retain=False)


def _ambiguous(items: list[Any], name: str | None) -> bool:
    return bool(name) and len({identity(item, name) for item in items}) < len(items)


def _same_order(old: list[Any], new: list[Any], key: str | None) -> bool:
    """Whether what is in both lists has the same order in both."""
    left, right = ([identity(item, key) for item in items] for items in (old, new))
    return [each for each in left if each in right] == [each for each in right if each in left]


# ---- two patches in one -------------------------------------------------------------------------------------------


def _joined(gone: Map, delta: Map, structure: Structure) -> Map:
    """A patch that does what both do; they are about the same modified document, so they agree on its order."""
    result = dict(gone)
    for key, value in delta.items():
        mine = result.get(key)
        below = structure.child(key) or ANY
        if isinstance(mine, dict) and isinstance(value, dict):
            result[key] = _joined(mine, value, below)
        elif isinstance(mine, list) and isinstance(value, list) and below.patch_key:
            order = delta.get(SET_ORDER + key) or gone.get(SET_ORDER + key) or []
            result[key] = _joined_lists(mine, value, below.patch_key, below.items or ANY, order)
            if REPLACE in value:
                result.pop(SET_ORDER + key, None)
        else:
            result[key] = value
    return result


def _joined_lists(gone: list[Any], delta: list[Any], key: str, items: Structure, order: list[Any]) -> list[Any]:
    if REPLACE in delta:
        unwanted = {identity(item, key) for item in gone if item.get(DIRECTIVE) == "delete"}
        return [item for item in delta if DIRECTIVE in item or identity(item, key) not in unwanted]
    merged: dict[Any, Any] = {identity(item, key): item for item in gone}
    for item in delta:
        mine = merged.get(identity(item, key))
        merged[identity(item, key)] = item if mine is None else _joined(mine, item, items)
    places = {identity(item, key): index for index, item in enumerate(order)}
    return sorted(merged.values(), key=lambda item: places.get(identity(item, key), len(places)))


# ---- conflicts ----------------------------------------------------------------------------------------------------


def _conflict(mine: Any, theirs: Any, structure: Structure, path: tuple[str, ...]) -> tuple[str, ...] | None:
    """Where two patches want different things; None if nowhere."""
    if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
        if mine.get(DIRECTIVE) != theirs.get(DIRECTIVE):
            return path
        return _first(
            _conflict(mine[key], theirs[key], structure.child(key) or ANY, (*path, key))
            for key in mine.keys() & theirs.keys()
            if not key.startswith("$")
        )
    if isinstance(mine, list) and isinstance(theirs, list) and "merge" in structure.patch:
        return _list_conflict(mine, theirs, structure, path)
    return None if same(mine, theirs) else path


def _list_conflict(
    mine: list[Any], theirs: list[Any], structure: Structure, path: tuple[str, ...]
) -> tuple[str, ...] | None:
    key = structure.patch_key
    if not key:
        return None  # values are only added
    if REPLACE in mine or REPLACE in theirs:
        return None if same(mine, theirs) else path
    others = {identity(item, key): item for item in theirs}
    return _first(
        _conflict(item, others[name], structure.items or ANY, (*path, str(name)))
        for item in mine
        if (name := identity(item, key)) in others
    )


def _first(found: Iterable[tuple[str, ...] | None]) -> tuple[str, ...] | None:
    return next((each for each in found if each is not None), None)
