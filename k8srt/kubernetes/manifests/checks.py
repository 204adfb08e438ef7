"""What can be told of a manifest before it is sent: whether its values have the types of its kind.

Fields that the model does not know are left to the server, which may be newer.
"""

from __future__ import annotations

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.apimachinery.wrong import describe_wrong, find_wrong
from k8srt.errors import WrongValue
from k8srt.kubernetes.manifests.sources import Manifest


def check_types(manifest: Manifest, cls: type[Object] | None) -> None:
    """Raise WrongValue for values of the wrong type, naming file, document, line and path of each."""
    kind = cls or Unstructured
    found = list(find_wrong(kind, manifest.document, lenient=True))
    if found:
        said = describe_wrong(kind, found, lambda wrong: f"{manifest.place.at(*wrong.steps)}: {manifest}: ")
        raise WrongValue(said, tuple(wrong.path for wrong in found))
