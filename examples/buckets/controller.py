"""Keeps buckets in a service outside of the cluster as Bucket objects say.

Garbage collection does not reach out there, so there is a finalizer: the server keeps an object that is deleted until
`cleanup` has succeeded and the finalizer is gone. And nobody tells us when something changes out there, so we look
again from time to time.

What is done to the service may be done twice, when this program is killed in between: every call means the same the
second time, and the bucket is named by the uid of its object, so a Bucket that is made again never takes over files.
"""

from __future__ import annotations

from k8srt.apimachinery.conditions import set_condition
from k8srt.apimachinery.meta import Condition
from k8srt.controller import Context, Manager, Result

from .api import Bucket
from .client import Refused, StorageClient, StorageError

FINALIZER = "storage.example.com/bucket"
LOOK_AGAIN = 300.0  # seconds


def add_to(mgr: Manager, storage: StorageClient, *, look_again: float = LOOK_AGAIN) -> None:
    """Add the controller to a manager. `look_again` is how often the service is compared, in seconds."""

    def cleanup(bucket: Bucket, ctx: Context) -> Result | None:
        """The object is to go. Returning lets it; while the bucket holds files it stays, and says so."""
        if bucket.spec.when_deleted == "Retain":
            return None
        try:
            storage.delete(name_of(bucket), owner=owner_of(bucket))
        except Refused as err:
            ctx.recorder.event(bucket, "Warning", "NotDeleted", str(err))
            return Result(requeue_after=look_again)
        return None

    @mgr.controller(
        Bucket,
        workers=4,
        timeout=60.0,
        finalizer=FINALIZER,
        cleanup=cleanup,
        uses=[(Bucket, "get", "patch", "patch/status")],
    )
    def reconcile(bucket: Bucket, ctx: Context) -> Result:
        """Have the bucket, and say in the status whether it is there. What is raised is tried again, ever later."""
        with ctx.patching(bucket, always_status=True):
            try:
                bucket.status.url = storage.ensure(
                    name_of(bucket), owner=owner_of(bucket), quota=bucket.spec.quota or 100
                )
            except StorageError as err:
                _say(bucket, "False", "StorageFailed", str(err))
                raise
            _say(bucket, "True", "Available", "the bucket is there")
        return Result(requeue_after=look_again)


def name_of(bucket: Bucket) -> str:
    """What the service calls it."""
    return f"{bucket.metadata.name}-{bucket.metadata.uid}"


def owner_of(bucket: Bucket) -> str:
    """Who it belongs to, for the service."""
    return f"{bucket.metadata.namespace}.{bucket.metadata.name}"


def _say(bucket: Bucket, status: str, reason: str, message: str) -> None:
    conditions = list(bucket.status.conditions or ())
    generation = bucket.metadata.generation
    new = Condition(type="Ready", status=status, reason=reason, message=message, observed_generation=generation)
    set_condition(conditions, new)
    bucket.status.conditions = conditions
