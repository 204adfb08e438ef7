"""Conversion webhooks: custom resources in versions that only their own program can turn into one another.

One version may be the hub: its class has a method `hub()`, which does nothing. The others are spokes: theirs have
`convert_to(hub)` and `convert_from(hub)`, which fill the object they are given, or return another. Or a converter
`convert(src, dst)` is registered for the kind, which does the same with any two versions.

What is given to be filled has the metadata already. Whatever is returned, metadata other than labels and annotations
stays as it was.

Contract: CNV-01 to CNV-05.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from k8srt.apimachinery import scheme
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.patch.jsonpatchcreate import create_json_patch
from k8srt.apimachinery.schema import GroupKind, GroupVersionKind
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.controller.kinds import info_of
from k8srt.controller.serving.figures import report
from k8srt.controller.serving.messages import HTTPRequest, HTTPResponse, text
from k8srt.errors import DecodeError, K8srtError

log = logging.getLogger(__name__)

PATH = "/convert"
GROUP = "apiextensions.k8s.io"
VERSIONS = ("v1", "v1beta1")
JSON = dict[str, Any]
Convert = Callable[[Any, Any], Any]
_FREE = ("labels", "annotations")
_NEUTRAL = "an internal error occurred during conversion; the log of the webhook has the details"


class ConversionError(K8srtError):
    """An object cannot be converted; the message is shown to whoever asked."""


class Converters:
    """Which conversions there are. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards _registered
        self._registered: dict[GroupKind, Convert] = {}

    def register(self, kind: type[Object] | GroupKind, converter: Any) -> None:
        """Have `converter`, or its `convert`, do all conversions of a kind. Raises ValueError the second time."""
        name = kind if isinstance(kind, GroupKind) else info_of(kind).gvk.group_kind
        function = getattr(converter, "convert", converter)
        if not callable(function):
            raise TypeError(f"a converter is a function of two objects, or has convert(src, dst): {converter!r}")
        with self._lock:
            if name in self._registered:
                raise ValueError(f"there is a converter for {name} already: {self._registered[name]!r}")
            self._registered[name] = function

    def convert(self, document: JSON, api_version: str) -> JSON:
        """The document in another version. Raises ConversionError, DecodeError, and what a converter raises."""
        gvk = GroupVersionKind.of(str(document.get("apiVersion") or ""), str(document.get("kind") or ""))
        wanted = GroupVersionKind.of(api_version, gvk.kind)
        if gvk == wanted:
            raise ConversionError(f"conversion is not allowed between same type {gvk}")
        if gvk.group != wanted.group:
            raise ConversionError(f"{gvk} cannot become {wanted}: that is another group")
        with self._lock:
            function = self._registered.get(gvk.group_kind)
        src = _class_of(gvk).from_dict(document)
        made = _by_function(function, src, wanted) if function is not None else _by_hub(src, gvk, wanted)
        return _with_metadata(made, document, wanted)


def _class_of(gvk: GroupVersionKind) -> type[Object]:
    found = scheme.default.lookup(gvk)
    return found if found is not None and issubclass(found, Object) else Unstructured


def _blank(cls: type[Object], like: Object, gvk: GroupVersionKind) -> Any:
    """An object to be filled, with the metadata of another."""
    parts = like.to_record().parts
    kept = {"metadata": msgspec.json.decode(parts["metadata"])} if "metadata" in parts else {}
    return cls.from_record(Unstructured({"apiVersion": gvk.api_version, "kind": gvk.kind, **kept}).to_record())


def _filled(call: Callable[[Any], Any], blank: Any) -> Any:
    made = call(blank)
    if made is None:
        return blank
    if not isinstance(made, Object):
        raise TypeError(f"a conversion fills the object it is given, or returns one: not {made!r}")
    return made


def _by_function(function: Convert, src: Object, wanted: GroupVersionKind) -> Object:
    made: Object = _filled(lambda dst: function(src, dst), _blank(_class_of(wanted), src, wanted))
    return made


def _by_hub(src: Any, gvk: GroupVersionKind, wanted: GroupVersionKind) -> Object:
    hubs = [each for each in _versions(gvk.group_kind) if _is_hub(_class_of(each))]
    if len(hubs) != 1:
        raise ConversionError(f"{gvk.group_kind} has {len(hubs)} hubs, where conversions need exactly one")
    hub = hubs[0]
    obj = src
    if gvk != hub:
        _check_spoke(gvk)
        obj = _filled(src.convert_to, _blank(_class_of(hub), src, hub))
    if wanted == hub:
        result: Object = obj
        return result
    _check_spoke(wanted)
    spoke = _blank(_class_of(wanted), obj, wanted)
    made: Object = _filled(lambda blank: blank.convert_from(obj), spoke)
    return made


def _check_spoke(gvk: GroupVersionKind) -> None:
    if not _is_spoke(_class_of(gvk)):
        raise ConversionError(f"{gvk} is neither the hub nor a spoke: it has no convert_to and convert_from")


def _is_hub(cls: type[Object]) -> bool:
    return callable(getattr(cls, "hub", None))


def _is_spoke(cls: type[Object]) -> bool:
    return callable(getattr(cls, "convert_to", None)) and callable(getattr(cls, "convert_from", None))


def _versions(kind: GroupKind) -> list[GroupVersionKind]:
    return [gvk for gvk in scheme.default.kinds() if gvk.group_kind == kind]


def is_convertible(kind: type[Object]) -> bool:
    """Whether a kind has several versions, one of them the hub and all others spokes. Contract: CNV-03.

    Raises ValueError for what is partly so, saying which versions lack what.
    """
    group_kind = info_of(kind).gvk.group_kind
    versions = _versions(group_kind)
    hubs = [gvk.version for gvk in versions if _is_hub(_class_of(gvk))]
    others = [gvk for gvk in versions if gvk.version not in hubs]
    lacking = [gvk.version for gvk in others if not _is_spoke(_class_of(gvk))]
    if len(versions) == 1 or (not hubs and len(lacking) == len(others)):
        return False
    wrong = []
    if len(hubs) != 1:
        wrong.append(f"hubs: {', '.join(hubs)}" if hubs else "none of its versions is the hub")
    if lacking:
        wrong.append(f"without convert_to and convert_from: {', '.join(lacking)}")
    if wrong:
        raise ValueError(f"{group_kind} can be converted in part only: {'; '.join(wrong)}")
    return True


def _with_metadata(made: Object, document: JSON, wanted: GroupVersionKind) -> JSON:
    """What was made, with its type and the metadata that may not change. Contract: CNV-05."""
    result = made.to_dict()
    old, new = document.get("metadata") or {}, result.pop("metadata", None)
    meta = old
    if new is not None:
        meta = {key: value for key, value in old.items() if key not in _FREE}
        meta |= {key: new[key] for key in _FREE if new.get(key)}
    rest = {key: value for key, value in result.items() if key not in ("apiVersion", "kind")}
    return {"apiVersion": wanted.api_version, "kind": wanted.kind, "metadata": meta, **rest}


class ConversionWebhook:
    """Serves conversions; they are registered with `converters`. Thread-safe, as long as they are."""

    max_body = 256 << 20  # all the objects of a list come in one request

    def __init__(self, converters: Converters | None = None) -> None:
        self.converters = converters if converters is not None else Converters()

    def register(self, kind: type[Object] | GroupKind, converter: Any) -> None:
        """See `Converters.register`."""
        self.converters.register(kind, converter)

    def handle(self, request: HTTPRequest) -> HTTPResponse:
        """Answer a ConversionReview; HTTP 400 for anything else. Contract: CNV-01."""
        try:
            review = msgspec.json.decode(request.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as err:
            return text(400, f"the conversion review cannot be read: {err}")
        if not isinstance(review, dict) or review.get("kind") != "ConversionReview":
            return text(400, "expected a ConversionReview")
        group, _, version = str(review.get("apiVersion")).partition("/")
        asked = review.get("request")
        if group != GROUP or version not in VERSIONS:
            return text(400, f"a ConversionReview of {review.get('apiVersion')} is not known")
        if not isinstance(asked, dict):
            return text(400, "the conversion review has no request")
        response = {"uid": asked.get("uid", ""), **self._answer(asked)}
        answer = {"kind": "ConversionReview", "apiVersion": review["apiVersion"], "response": response}
        return HTTPResponse(200, msgspec.json.encode(answer))

    def _answer(self, asked: JSON) -> JSON:
        wanted = str(asked.get("desiredAPIVersion") or "")
        try:
            made = [self.converters.convert(_object(each), wanted) for each in asked.get("objects") or ()]
        except (ConversionError, DecodeError) as err:
            log.warning("a conversion to %s failed: %s", wanted, err)
            return _failure(str(err))
        except (Exception, SystemExit):  # a converter does not end the server
            report("conversion_panic")
            log.exception("a converter failed over an object that was to become one of %s", wanted)
            return _failure(_NEUTRAL)
        return {"convertedObjects": made, "result": {"status": "Success"}}

    def __repr__(self) -> str:
        return "<ConversionWebhook>"


def _object(found: Any) -> JSON:
    if not isinstance(found, dict):
        raise ConversionError(f"expected an object, got {type(found).__name__}")
    return found


def _failure(message: str) -> JSON:
    return {"convertedObjects": [], "result": {"status": "Failure", "message": message}}


def round_trip(samples: Iterable[Object], converters: Converters | None = None) -> None:
    """For tests: every sample must be the same after a way to each other version of its kind and back.

    Raises AssertionError with what differs, ValueError for a kind of which there is one version only.
    """
    converters = converters if converters is not None else Converters()
    for sample in samples:
        others = [gvk for gvk in _versions(sample.gvk.group_kind) if gvk != sample.gvk]
        if not others:
            raise ValueError(f"{sample.gvk} has no other version")
        before = sample.to_dict()
        for other in others:
            there = converters.convert(before, other.api_version)
            back = converters.convert(there, sample.api_version)
            differences = create_json_patch(before, back)
            if differences:
                shown = "\n".join(f"  {each}" for each in differences)
                raise AssertionError(f"{sample!r} comes back from {other.version} with differences:\n{shown}")
