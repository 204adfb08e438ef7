"""`ResourceClient`: the client of any resource, for code that is given the class.

    pods = ResourceClient(rest, Pod, "default")
    pods.get("web-0"); pods.list(label_selector="app=web"); pods.patch("web-0", {...}, patch_type="merge")

It has every verb and subresource there is; those its resource lacks raise ValueError, before anything is sent. The
facts (path, scope, verbs, subresources) ride on the class. The clients of a clientset's groups are of the same pieces
(`verbs`, `subresources`, …), each with those of its resource alone (`shapes`). Cheap, immutable, thread-safe.

Contract: CLI-02 to CLI-10, MACH-45, MACH-46, REST-13.
"""

from __future__ import annotations

from typing import TypeVar

from k8srt.apimachinery.object import Object
from k8srt.gentype.logs import ReadsLogs
from k8srt.gentype.pods import Binds, Evicts, Resizes, UpdatesEphemeralContainers
from k8srt.gentype.proxy import Proxies
from k8srt.gentype.shapes import WorkloadClient
from k8srt.gentype.subresources import Approves, CreatesTokens, Finalizes

T = TypeVar("T", bound=Object)


class ResourceClient(
    WorkloadClient[T],
    Approves[T],
    Binds[T],
    CreatesTokens[T],
    Evicts[T],
    Finalizes[T],
    Proxies[T],
    ReadsLogs[T],
    Resizes[T],
    UpdatesEphemeralContainers[T],
):
    """A client of one resource, in one namespace or (with "") in all."""

    __slots__ = ()
