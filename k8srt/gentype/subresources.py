"""What lies below one object and any kind may have: its status, its scale; and what single kinds have.

Contract: CLI-02, CLI-07, CLI-08.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.record import Record
from k8srt.gentype import options as opts
from k8srt.gentype.options import PatchType
from k8srt.gentype.requests import ResourceRequests

if TYPE_CHECKING:
    from k8srt.api.authentication.v1 import BoundObjectReference, TokenRequest
    from k8srt.api.autoscaling.v1 import Scale

T = TypeVar("T", bound=Object)


class UpdatesStatus(ResourceRequests[T]):
    """Changes the status of objects, and nothing else of them."""

    __slots__ = ()

    def update_status(self, obj: T | Mapping[str, Any], **options: Unpack[opts.WriteOptions]) -> T:
        """Replace only the status of an object. Raises Conflict, NotFound."""
        opts.check("update_status", options, opts.WriteOptions)
        return self._put(self._record(obj), "status", options, self._cls)

    def patch_status(self, name: str, patch: Any, *, patch_type: PatchType, **options: Unpack[opts.WriteOptions]) -> T:
        """Patch only the status of an object; `patch` is as for `patch`, from the top: `{"status": {...}}`."""
        opts.check("patch_status", options, opts.WriteOptions)
        return self._patch(name, patch, patch_type, "status", False, options, self._cls)

    def apply_status(
        self,
        obj: T | Mapping[str, Any],
        *,
        field_manager: str,
        force: bool = False,
        **options: Unpack[opts.ApplyOptions],
    ) -> T:
        """Server-side apply to the status."""
        opts.check("apply_status", options, opts.ApplyOptions)
        return self._apply(self._record(obj), "status", field_manager, force, options, self._cls)


class Scales(ResourceRequests[T]):
    """How many replicas there are and should be, in the form that all kinds share: autoscaling/v1 Scale."""

    __slots__ = ()

    def get_scale(self, name: str, **options: Unpack[opts.GetOptions]) -> Scale:
        """Return the scale of an object. Raises NotFound."""
        from k8srt.api.autoscaling.v1 import Scale

        opts.check("get_scale", options, opts.GetOptions)
        return self._send(self._at("get", "GET", name, "scale"), options).into(Scale)

    def update_scale(self, name: str, scale: Scale | Mapping[str, Any], **options: Unpack[opts.WriteOptions]) -> Scale:
        """Replace the scale of an object. Raises Conflict when `scale` has a resource version that is out of date."""
        from k8srt.api.autoscaling.v1 import Scale

        opts.check("update_scale", options, opts.WriteOptions)
        return self._put(_named(name, self._record(scale, Scale), "update_scale"), "scale", options, Scale)

    def patch_scale(
        self, name: str, patch: Any, *, patch_type: PatchType, **options: Unpack[opts.WriteOptions]
    ) -> Scale:
        """Patch the scale of an object: `{"spec": {"replicas": 3}}`."""
        from k8srt.api.autoscaling.v1 import Scale

        opts.check("patch_scale", options, opts.WriteOptions)
        return self._patch(name, patch, patch_type, "scale", False, options, Scale)

    def apply_scale(
        self,
        name: str,
        scale: Scale | Mapping[str, Any],
        *,
        field_manager: str,
        force: bool = False,
        **options: Unpack[opts.ApplyOptions],
    ) -> Scale:
        """Server-side apply to the scale."""
        from k8srt.api.autoscaling.v1 import Scale

        opts.check("apply_scale", options, opts.ApplyOptions)
        record = _named(name, self._record(scale, Scale), "apply_scale")
        return self._apply(record, "scale", field_manager, force, options, Scale)


def _named(name: str, record: Record, verb: str) -> Record:
    """The record under the name of its object, which it may leave out. Raises ValueError for another name."""
    if not name:
        raise ValueError(f"{verb}: the object has no name")
    if record.name and record.name != name:
        raise ValueError(f"{verb} of {name!r}: the scale is that of {record.name!r}")
    if record.name:
        return record
    from k8srt.api.autoscaling.v1 import Scale

    scale = Scale.from_record(record)
    scale.metadata.name = name
    return scale.to_record()


class Finalizes(ResourceRequests[T]):
    """Lets go of objects that are being deleted: namespaces."""

    __slots__ = ()

    def finalize(self, obj: T | Mapping[str, Any], **options: Unpack[opts.WriteOptions]) -> T:
        """Replace `spec.finalizers`, which no other verb can. With none left, a deleted namespace goes."""
        opts.check("finalize", options, opts.WriteOptions)
        return self._put(self._record(obj), "finalize", options, self._cls)


class Approves(ResourceRequests[T]):
    """Approves or denies certificate signing requests."""

    __slots__ = ()

    def update_approval(self, obj: T | Mapping[str, Any], **options: Unpack[opts.WriteOptions]) -> T:
        """Replace the conditions of an object by which it is approved or denied. Raises Conflict."""
        opts.check("update_approval", options, opts.WriteOptions)
        return self._put(self._record(obj), "approval", options, self._cls)


class CreatesTokens(ResourceRequests[T]):
    """Issues tokens of service accounts."""

    __slots__ = ()

    def create_token(
        self,
        name: str,
        *,
        audiences: Sequence[str] | None = None,
        expiration_seconds: int | None = None,
        bound_object_ref: BoundObjectReference | Object | Mapping[str, Any] | None = None,
        **options: Unpack[opts.WriteOptions],
    ) -> TokenRequest:
        """Issue a token, found in `status.token`, which expires at `status.expiration_timestamp`.

        Without `audiences` it is for the API server. It ends with the object it is bound to: a pod, a node or a
        secret, given as it is or as a reference. Raises NotFound, Invalid.
        """
        from k8srt.api.authentication.v1 import TokenRequest

        opts.check("create_token", options, opts.WriteOptions)
        if isinstance(audiences, str):
            raise TypeError(f"create_token: audiences: expected a list of texts, got the text {audiences!r}")
        asked = {
            "audiences": audiences and list(audiences),
            "expirationSeconds": expiration_seconds,
            "boundObjectRef": _reference(bound_object_ref),
        }
        spec = {key: value for key, value in asked.items() if value is not None}
        record = TokenRequest.from_dict({"spec": {"audiences": [], **spec}}).to_record()
        return self._post(self._at("create", "POST", name, "token"), record, options, TokenRequest)


def _reference(obj: BoundObjectReference | Object | Mapping[str, Any] | None) -> Any:
    if isinstance(obj, Object):
        meta = obj.metadata
        found = {"kind": obj.kind, "apiVersion": obj.api_version, "name": meta.name, "uid": meta.uid}
        return {key: value for key, value in found.items() if value}
    return obj if obj is None or isinstance(obj, Mapping) else obj.to_dict()
