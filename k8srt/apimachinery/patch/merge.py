"""Merge patch, RFC 7386: null deletes, objects merge, all else replaces. Contract: MACH-40."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from k8srt.apimachinery.documents import plain_value
from k8srt.apimachinery.patch.error import PatchError


def apply_merge_patch(doc: Any, patch: Any) -> Any:
    """Return the document with the patch applied. Raises PatchError (400) if the patch is no object."""
    if not isinstance(patch, Mapping):
        raise PatchError("Invalid JSON Patch", 400)
    return _merged(plain_value(doc), patch)


def _merged(doc: Any, patch: Any) -> Any:
    if not isinstance(patch, Mapping):
        return patch
    result = dict(doc) if isinstance(doc, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), value)
    return result
