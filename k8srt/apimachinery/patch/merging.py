"""Where strategic patches learn which lists merge, and by which key."""

from __future__ import annotations

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
        if (found := structure_for(source)) is not ANY:
            return found
    document = plain(sources[0])
    about = " ".join(str(document[key]) for key in ("apiVersion", "kind") if document.get(key))
    raise PatchError(
        f"{about or 'a document without apiVersion and kind'}: it is not known how its lists merge. Say of which class "
        "it is, or make a merge patch: servers take strategic ones only for built-in kinds",
        415,
    )
