"""Bodies of requests: JSON, YAML or protobuf, read the way the real server reads them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import msgspec
import yaml

from k8srt.apimachinery import protobuf
from k8srt.errors import DecodeError
from k8srt.testing.apiserver.failures import Failure, bad_request, too_large, unsupported_media_type
from k8srt.testing.apiserver.http import MAX_BODY
from k8srt.testing.apiserver.messages import Request

ACCEPTED = ("application/json", "application/yaml", protobuf.MEDIA_TYPE)


def media_type(request: Request) -> str:
    return request.header("content-type").partition(";")[0].strip().lower()


def read_body(request: Request) -> tuple[Any, list[str]]:
    """The body as plain data, and the paths of keys that stand in it twice.

    Raises Failure: 413 over the limit, 415 for other media types, 400 for what does not parse.
    """
    check_size(request)
    media = media_type(request) or ACCEPTED[0]
    if media not in ACCEPTED:
        raise unsupported_media_type(ACCEPTED)
    if media == protobuf.MEDIA_TYPE:
        return parse_protobuf(request.body), []
    if media == "application/yaml":
        return parse_yaml(request.body)
    return parse_json(request.body)


def parse_protobuf(body: bytes) -> Any:
    """Raises Failure: 400 for what is none, 415 for kinds that are not sent this way."""
    try:
        return protobuf.decode(body)
    except protobuf.NoMessage:
        raise unsupported_media_type(ACCEPTED[:2]) from None
    except DecodeError as err:
        raise bad_request(str(err)) from err


def check_size(request: Request) -> None:
    if len(request.body) > MAX_BODY:
        raise too_large(MAX_BODY)


def parse_json(body: bytes) -> tuple[Any, list[str]]:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as err:
        why = f"couldn't get version/kind; json parse error: {go_words(body, err)}"
        raise Malformed(bad_request(why).status) from err
    return value, duplicates(body)


class Malformed(Failure):
    """A body is no JSON. The message is the reader's; who knows what was expected says that, too."""


def go_words(body: bytes, err: Exception) -> str:
    """What a server says of JSON that is cut off, or no JSON from the start; else what our reader says."""
    text = str(err)
    if "truncated" in text:
        return "unexpected end of JSON input"
    start = body.lstrip()[:1].decode(errors="replace")
    if text.endswith("(byte 0)") and start:
        return f"invalid character '{start}' looking for beginning of value"
    return text


def duplicates(body: bytes) -> list[str]:
    """Paths of keys given twice in one JSON object, as "data.k"."""
    twice = False

    def look(pairs: list[tuple[str, Any]]) -> None:
        nonlocal twice
        twice = twice or len({key for key, _ in pairs}) != len(pairs)

    json.loads(body, object_pairs_hook=look)
    if not twice:
        return []
    found: list[str] = []
    _find_duplicates(json.loads(body, object_pairs_hook=_Pairs), "", found)
    return found


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with all its pairs."""


def _find_duplicates(value: Any, path: str, found: list[str]) -> None:
    if isinstance(value, _Pairs):
        seen = set()
        for key, inner in value:
            here = f"{path}.{key}" if path else key
            if key in seen:
                found.append(here)
            seen.add(key)
            _find_duplicates(inner, here, found)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _find_duplicates(inner, f"{path}[{index}]", found)


# ---- YAML


class _Loader(yaml.SafeLoader):
    """YAML 1.1 as Go programs read it: `y` is a boolean, a date is text, a key given twice is noticed."""

    twice: list[str]


_BOOLEANS = re.compile(r"^(?:y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$")
_Loader.yaml_implicit_resolvers = {
    first: [(tag, rx) for tag, rx in pairs if tag not in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool")]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", _BOOLEANS, list("yYnNtTfFoO"))


def _boolean(loader: yaml.Loader, node: Any) -> bool:
    return str(loader.construct_scalar(node)).lower() in ("y", "yes", "true", "on")


def _mapping(loader: Any, node: Any) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        key = _key_text(key)
        if key in result:
            loader.twice.append(f'line {key_node.start_mark.line + 1}: key "{key}" already set in map')
        result[key] = loader.construct_object(value_node, deep=True)
    return result


def _key_text(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return str(key)


_Loader.add_constructor("tag:yaml.org,2002:bool", _boolean)
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def parse_yaml(body: bytes, prefix: str = "") -> tuple[Any, list[str]]:
    """The body, and what is said of keys given twice. `prefix` begins the message of the failure it raises."""
    loader: Callable[[bytes], Any] = _Loader
    try:
        reader = loader(body)
        reader.twice = []
        value = reader.get_single_data()
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as err:
        line = str(err).replace("\n", " ")
        told = f"{prefix}error converting YAML to JSON: yaml: {line}" if prefix else f"yaml: {line}"
        raise Malformed(bad_request(told).status) from err
    return value, reader.twice
