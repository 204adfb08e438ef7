"""What a Bucket is, as crd.yaml says it. `k8srt generate crd.yaml` would write the same, and a client besides."""

from __future__ import annotations

from k8srt.apimachinery.meta import Condition, ObjectMeta
from k8srt.apimachinery.model import Struct, field, unset
from k8srt.apimachinery.object import Object


class BucketSpec(Struct):
    """What is wanted."""

    quota: int = field(default=100)
    when_deleted: str = field(default="Delete")


class BucketStatus(Struct):
    """What there is."""

    url: str = unset
    conditions: list[Condition] = unset


class Bucket(Object, gvk="storage.example.com/v1/Bucket", resource="buckets", subresources="status"):
    """A bucket of the storage service, which knows nothing of this cluster."""

    metadata: ObjectMeta = unset
    spec: BucketSpec = unset
    status: BucketStatus = unset
