"""Making JSON patches (RFC 6902): what is equal in both documents is not touched.

Maps go key by key. Of two lists the items that belong together are found first (see `listscript`), so that one that
came in front of others is one operation, and one that went to another place is one, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from k8srt.apimachinery.documents import Document, plain
from k8srt.apimachinery.patch.error import PatchError
from k8srt.apimachinery.patch.jsonpatch import same
from k8srt.apimachinery.patch.listscript import Script, canonical

Operation = dict[str, Any]


def create_json_patch(original: Document | list[Any], modified: Document | list[Any]) -> list[Operation]:
    """Return operations that turn one document into the other; [] if they are equal. Contract: MACH-43.

    Raises PatchError if one document is an object and the other is a list: no patch can do that.
    """
    one, other = _document(original), _document(modified)
    if isinstance(one, list) is not isinstance(other, list):
        raise PatchError("a JSON patch cannot replace a whole document")
    return list(_differences(one, other, "", whole=False))


def _document(source: Document | list[Any]) -> Any:
    return source if isinstance(source, list) else plain(source)


def _differences(original: Any, modified: Any, path: str, *, whole: bool = True) -> Iterator[Operation]:
    """`whole`: a value that has nothing in common with the other is replaced as one."""
    if isinstance(original, Mapping) and isinstance(modified, Mapping):
        if not whole or original.keys() & modified.keys():
            yield from _of_maps(original, modified, path)
            return
    elif isinstance(original, list) and isinstance(modified, list) and (not whole or (original and modified)):
        yield from _of_lists(original, modified, path)
        return
    if not same(original, modified):
        yield {"op": "replace", "path": path, "value": modified}


def _of_maps(original: Mapping[str, Any], modified: Mapping[str, Any], path: str) -> Iterator[Operation]:
    for key in original:
        below = f"{path}/{_escaped(key)}"
        if key not in modified:
            yield {"op": "remove", "path": below}
        else:
            yield from _differences(original[key], modified[key], below)
    for key in modified:
        if key not in original:
            yield {"op": "add", "path": f"{path}/{_escaped(key)}", "value": modified[key]}


def _of_lists(original: list[Any], modified: list[Any], path: str) -> Iterator[Operation]:
    old, new = [canonical(item) for item in original], [canonical(item) for item in modified]
    if old == new:
        return
    script = Script(original, modified, old, new)
    for step in script.steps():
        if step.kind == "add":
            at = "-" if step.to == step.size else step.to
            yield {"op": "add", "path": f"{path}/{at}", "value": modified[step.item]}
        elif step.kind == "move":
            yield {"op": "move", "from": f"{path}/{step.at}", "path": f"{path}/{step.to}"}
        else:
            yield {"op": "remove", "path": f"{path}/{step.at}"}
    for before, after, related in script.changed():
        if related:
            yield from _differences(original[before], modified[after], f"{path}/{after}")
        else:
            yield {"op": "replace", "path": f"{path}/{after}", "value": modified[after]}


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
