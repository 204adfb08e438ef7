"""What the resource of a kind is probably called. Contract: MACH-33."""

from __future__ import annotations

from typing import NamedTuple

from k8srt.apimachinery.schema import GroupVersionKind, GroupVersionResource


class Guess(NamedTuple):
    """The resource, in the plural and in the singular."""

    plural: GroupVersionResource
    singular: GroupVersionResource


def unsafe_guess_kind_to_resource(kind: GroupVersionKind) -> Guess:
    """Guess the resource of a kind by its ending. Servers may call it otherwise: ask a `RESTMapper` if there is one.

    The rule is upstream's, faults included (`Gateway` gives `gatewaies`), since fakes are filled by it.
    """
    singular = kind.kind.lower()
    version = kind.group_version
    return Guess(version.with_resource(_plural(singular)), version.with_resource(singular))


def _plural(singular: str) -> str:
    if not singular or singular.endswith("endpoints"):
        return singular
    if singular.endswith("s"):
        return f"{singular}es"
    if singular.endswith("y"):
        return f"{singular[:-1]}ies"
    return f"{singular}s"
