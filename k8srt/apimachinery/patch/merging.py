"""Where strategic patches learn which lists merge, and by which key."""

from __future__ import annotations

from k8srt.apimachinery import scheme
from k8srt.apimachinery.documents import Document, plain, structure_for
from k8srt.apimachinery.model import Struct
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.patch.error import PatchError
from k8srt.apimachinery.structure import ANY, Structure, structure_of

Kind = Structure | type[Object] | type[Struct] | None
"""What is known of a kind: its structure, its class, or None to go by the document itself."""


def merging_of(kind: Kind, *sources: Document) -> Structure:
    """The structure that was given, else that of the first document whose kind is known.

    Raises PatchError (415, as servers answer to such patches of custom resources) if none is.
    """
    if isinstance(kind, Structure):
        return kind
    if kind is not None:
        return structure_of(kind)
    for source in sources:
        if isinstance(source, Struct):
            return structure_for(source)
        if scheme.default.is_built_in(_text(source, "apiVersion")) and (found := structure_for(source)) is not ANY:
            return found
    about = f"{_text(sources[0], 'apiVersion')} {_text(sources[0], 'kind')}".strip()
    raise PatchError(
        f"{about or 'a document without apiVersion and kind'}: it is not known how its lists merge. Say of which class "
        "it is, or make a merge patch: servers take strategic ones only for built-in kinds",
        415,
    )


def _text(source: Document, key: str) -> str:
    if isinstance(source, Object):
        return source.api_version if key == "apiVersion" else source.kind
    return str(plain(source).get(key) or "")
