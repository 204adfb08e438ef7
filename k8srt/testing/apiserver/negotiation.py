"""Which form an answer takes: JSON, YAML or protobuf, the object itself, a table of it, or only its metadata."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import msgspec
import yaml

from k8srt.apimachinery import protobuf
from k8srt.errors import DecodeError
from k8srt.testing.apiserver.failures import not_acceptable
from k8srt.testing.apiserver.messages import Request, Response

GZIP_FROM = 128 * 1024  # bytes; below, compressing is not worth the while
MEDIA_TYPES = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
STREAM_TYPES = ("application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch")
_JSON, _YAML, PROTOBUF = "application/json", "application/yaml", protobuf.MEDIA_TYPE
_TRANSFORMS = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
_META_VERSIONS = ("v1", "v1beta1")


@dataclass(frozen=True, slots=True)
class Form:
    """The form chosen: `media` is a media type, `kind` the kind to transform to (or empty), `version` of it."""

    media: str = _JSON
    kind: str = ""
    version: str = "v1"
    pretty: bool = False

    @property
    def plain(self) -> bool:
        """Whether an object can be answered with the bytes it is stored as."""
        return self.media == _JSON and not self.kind and not self.pretty


def form_of(request: Request, *, transforms: bool = True, messages: bool = True, stream: bool = False) -> Form:
    """Choose by the Accept header. Raises Failure(406) when nothing acceptable is served.

    `messages`: whether what is asked for has a protobuf form; that of custom resources has none. `stream`: a watch
    is answered, which cannot be YAML.
    """
    media, kind, version = _accepted(request.header("accept"), transforms, messages, stream)
    return Form(media, kind, version, _pretty(request))


def _pretty(request: Request) -> bool:
    if "pretty" in request.query:
        return request.flag("pretty")
    agent = request.header("user-agent")
    return agent.startswith(("curl", "Wget", "Mozilla/5.0"))


@lru_cache(maxsize=256)
def _accepted(accept: str, transforms: bool, messages: bool, stream: bool) -> tuple[str, str, str]:
    if not accept.strip():
        return _JSON, "", "v1"
    for clause in _clauses(accept):
        media, *params = (part.strip() for part in clause.split(";"))
        options = dict(param.split("=", 1) for param in params if "=" in param)
        if media in ("*/*", "application/*"):
            media = _JSON
        if media not in (_JSON, PROTOBUF) and (stream or media != _YAML):
            continue
        kind = options.get("as", "")
        if media == PROTOBUF and (kind == "Table" or not (kind or messages)):
            continue
        if not kind:
            return media, "", "v1"
        known = kind in _TRANSFORMS and options.get("v") in _META_VERSIONS
        if known and transforms and options.get("g") == "meta.k8s.io":
            return media, kind, options["v"]
    offered = ", ".join(STREAM_TYPES if stream else MEDIA_TYPES)
    raise not_acceptable(f"only the following media types are accepted: {offered}")


def _clauses(accept: str) -> list[str]:
    """The clauses, the preferred first; equal ones in their order."""
    ranked = []
    for clause in accept.split(","):
        quality = 1.0
        for param in clause.split(";")[1:]:
            name, _, value = param.strip().partition("=")
            if name == "q":
                try:
                    quality = float(value)
                except ValueError:
                    quality = 0.0
        ranked.append((-quality, clause.strip()))
    return [clause for _, clause in sorted(ranked, key=lambda pair: pair[0])]


def encode(value: Any, form: Form) -> bytes:
    """Write plain data in the chosen media type. `value` may be bytes of JSON already. Raises NoMessage."""
    if form.media == PROTOBUF:
        return protobuf.encode(msgspec.json.decode(value) if isinstance(value, bytes) else value)
    if form.media == _YAML:
        if isinstance(value, bytes):
            value = msgspec.json.decode(value)
        text = yaml.dump(value, Dumper=_Dumper, default_flow_style=False, allow_unicode=True)
        return text.encode()
    data = value if isinstance(value, bytes) else msgspec.json.encode(value)
    return msgspec.json.format(data, indent=2) + b"\n" if form.pretty else data + b"\n"


class _Dumper(yaml.SafeDumper):
    """YAML as the real server writes it: no aliases for what appears twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def answer(request: Request, form: Form, value: Any, status: int = 200) -> Response:
    """A whole answer in the chosen form; a large one is compressed when the client takes that.

    What has no protobuf form, or cannot be written in it, is JSON; clients go by the media type of the answer.
    """
    try:
        body = encode(value, form)
    except (protobuf.NoMessage, DecodeError):
        form = replace(form, media=_JSON)
        body = encode(value, form)
    headers: list[tuple[str, str]] = [("Cache-Control", "no-cache, private")]
    if len(body) >= GZIP_FROM and "gzip" in request.header("accept-encoding"):
        body = gzip.compress(body, 1)
        headers += [("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
    return Response(status, body, form.media, headers)
