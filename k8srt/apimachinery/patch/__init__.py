"""Patches: JSON patch, merge patch, strategic merge patch; making them of two objects, and applying them.

    before = deployments.get("web")
    after = before.copy()
    after.spec.replicas = 3
    deployments.patch("web", create_merge_patch(before, after), patch_type="merge")

| of two objects | of three, as `kubectl apply` | sent as | lists |
| --- | --- | --- | --- |
| `create_merge_patch` | `create_three_way_merge_patch` | "merge" | are replaced |
| `create_strategic_patch` | `create_three_way_strategic_patch` | "strategic" | merge by key; built-in kinds only |
| `create_json_patch` | | "json" | item by item, by place |

Of three: what was applied last (`original`), what is wanted (`modified`), what is there (`current`); what others have
set stays. Objects may be typed, `Unstructured`, dicts or JSON text. Results are plain JSON values. No argument is
changed, though results may share parts with dicts that were given. Contract: MACH-39 to MACH-44.
"""

from typing import TYPE_CHECKING

from k8srt._lazy import lazy_exports

if TYPE_CHECKING:
    from k8srt.apimachinery.patch.create import IDENTITY as IDENTITY
    from k8srt.apimachinery.patch.create import create_merge_patch as create_merge_patch
    from k8srt.apimachinery.patch.create import create_three_way_merge_patch as create_three_way_merge_patch
    from k8srt.apimachinery.patch.error import PatchConflict as PatchConflict
    from k8srt.apimachinery.patch.error import PatchError as PatchError
    from k8srt.apimachinery.patch.jsonpatch import apply_json_patch as apply_json_patch
    from k8srt.apimachinery.patch.jsonpatchcreate import create_json_patch as create_json_patch
    from k8srt.apimachinery.patch.merge import apply_merge_patch as apply_merge_patch
    from k8srt.apimachinery.patch.strategic import apply_strategic_merge as apply_strategic_merge
    from k8srt.apimachinery.patch.strategiccreate import create_strategic_patch as create_strategic_patch
    from k8srt.apimachinery.patch.strategiccreate import (
        create_three_way_strategic_patch as create_three_way_strategic_patch,
    )

_MODULES = {
    "create": ("IDENTITY", "create_merge_patch", "create_three_way_merge_patch"),
    "error": ("PatchConflict", "PatchError"),
    "jsonpatch": ("apply_json_patch",),
    "jsonpatchcreate": ("create_json_patch",),
    "merge": ("apply_merge_patch",),
    "strategic": ("apply_strategic_merge",),
    "strategiccreate": ("create_strategic_patch", "create_three_way_strategic_patch"),
}

__getattr__, __dir__ = lazy_exports(
    __name__, {name: f"{__name__}.{module}" for module, names in _MODULES.items() for name in names}
)
