"""Patches: JSON patch, merge patch, strategic merge patch; applying and making them. Contract: MACH-39 to MACH-44.

Everything works on plain JSON values and changes none of its arguments.
"""

from typing import TYPE_CHECKING

from k8srt._lazy import lazy_exports

if TYPE_CHECKING:
    from k8srt.apimachinery.patch.create import create_merge_patch as create_merge_patch
    from k8srt.apimachinery.patch.create import create_three_way_merge_patch as create_three_way_merge_patch
    from k8srt.apimachinery.patch.error import PatchConflict as PatchConflict
    from k8srt.apimachinery.patch.error import PatchError as PatchError
    from k8srt.apimachinery.patch.jsonpatch import apply_json_patch as apply_json_patch
    from k8srt.apimachinery.patch.jsonpatch import create_json_patch as create_json_patch
    from k8srt.apimachinery.patch.merge import apply_merge_patch as apply_merge_patch
    from k8srt.apimachinery.patch.strategic import apply_strategic_merge as apply_strategic_merge
    from k8srt.apimachinery.patch.strategiccreate import create_strategic_patch as create_strategic_patch
    from k8srt.apimachinery.patch.strategiccreate import (
        create_three_way_strategic_patch as create_three_way_strategic_patch,
    )

_MODULES = {
    "create": ("create_merge_patch", "create_three_way_merge_patch"),
    "error": ("PatchConflict", "PatchError"),
    "jsonpatch": ("apply_json_patch", "create_json_patch"),
    "merge": ("apply_merge_patch",),
    "strategic": ("apply_strategic_merge",),
    "strategiccreate": ("create_strategic_patch", "create_three_way_strategic_patch"),
}

__getattr__, __dir__ = lazy_exports(
    __name__, {name: f"{__name__}.{module}" for module, names in _MODULES.items() for name in names}
)
