"""The table of protobuf fields, made of the list of messages and the OpenAPI document of one release.

    python -m k8srt.codegen.protobuf fields-v1.36.json swagger-v1.36.json > k8srt/apimachinery/_protobuf_fields.py

Protobuf has the names of Go's fields, JSON has others: the OpenAPI document says which. A struct that JSON does not
show as one (Go embeds it) has no property of its name there, while all of its own fields are properties.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

JSON = dict[str, Any]
Messages = Mapping[str, Mapping[str, tuple[int, str, str]]]

_ROOTS = (
    ("io.k8s.api.", "k8s.io.api."),
    ("io.k8s.apimachinery.", "k8s.io.apimachinery."),
    ("io.k8s.apiextensions-apiserver.", "k8s.io.apiextensions_apiserver."),
    ("io.k8s.kube-aggregator.", "k8s.io.kube_aggregator."),
)
_META = "k8s.io.apimachinery.pkg.apis.meta."
# Kinds that are no part of an OpenAPI document.
_UNLISTED = (
    f"{_META}v1.PartialObjectMetadata",
    f"{_META}v1.PartialObjectMetadataList",
    f"{_META}v1beta1.PartialObjectMetadataList",
)
# Messages that JSON writes as something else than an object; the codec knows them.
SPECIAL = re.compile(
    r"\.(Quantity|IntOrString|RawExtension|FieldsV1|Time|MicroTime|Verbs|ExtraValue"
    r"|JSON|JSONSchemaPropsOr(Array|Bool|StringArray))$"
)
_SCALARS = {"string": "", "int32": "i", "int64": "i", "bool": "b", "bytes": "B", "double": "d"}
_LABELS = {"optional": "", "repeated": "*", "map": "%"}
_WIDTH = 120


class Mismatch(ValueError):
    """A field of a message is nowhere in the OpenAPI document."""


def message_name(definition: str) -> str:
    """The message of an OpenAPI definition."""
    for ours, theirs in _ROOTS:
        if definition.startswith(ours):
            return theirs + definition[len(ours) :]
    return ""


def short(message: str) -> str:
    """A message's name as the table has it: core.v1.Pod, meta.v1.Time, Quantity."""
    for _, root in _ROOTS:
        message = message.removeprefix(root)
    parts = message.split(".")
    if parts[:2] == ["pkg", "apis"]:
        return ".".join(parts[2:])
    return parts[-1] if parts[0] == "pkg" else message


def rows(messages: Messages, definitions: Mapping[str, JSON]) -> dict[str, list[str]]:
    """The messages by their short names, each with its fields as the table writes them. Raises Mismatch."""
    found = {}
    for definition, schema in definitions.items():
        name = message_name(definition)
        if name in messages and not SPECIAL.search(name):
            found[short(name)] = list(_fields(name, messages, schema.get("properties") or {}))
    waiting = [*_UNLISTED, *_mentioned(messages, found)]
    while waiting:
        name = waiting.pop()
        if short(name) not in found:
            found[short(name)] = list(_fields(name, messages, dict.fromkeys(messages[name])))
            waiting += [kind for _, kind, _ in messages[name].values() if kind in messages and not SPECIAL.search(kind)]
    return found


def _mentioned(messages: Messages, found: Mapping[str, Any]) -> list[str]:
    """What the messages found have as fields: embedded ones are no definitions of their own."""
    return [
        kind
        for name, fields in messages.items()
        if short(name) in found
        for _, kind, _ in fields.values()
        if kind in messages and not SPECIAL.search(kind)
    ]


def _fields(name: str, messages: Messages, properties: Mapping[str, Any]) -> Iterator[str]:
    home = short(name).rpartition(".")[0]
    by_letters = {re.sub(r"[^a-z]", "", wire.lower()): wire for wire in properties}
    for field, (number, kind, label) in sorted(messages[name].items(), key=lambda item: item[1][0]):
        wire = field if field in properties else by_letters.get(field.lower(), "")
        if not wire and not _embedded(kind, messages, properties):
            raise Mismatch(f"{name}.{field} is no property of its definition")
        kind = kind.removeprefix("map<string,").removesuffix(">")
        code = _SCALARS[kind] if kind in _SCALARS else "=" + short(kind).removeprefix(f"{home}.")
        yield f"{wire}:{number}{_LABELS[label]}{code}"


def _embedded(kind: str, messages: Messages, properties: Mapping[str, Any]) -> bool:
    inner = messages.get(kind)
    return inner is not None and all(
        name in properties or _embedded(deeper, messages, properties) for name, (_, deeper, _) in inner.items()
    )


def packages(definitions: Mapping[str, JSON]) -> dict[str, str]:
    """The package of each group and version, as "rbac.authorization.k8s.io/v1": "rbac.v1"."""
    found = {"meta.k8s.io/v1": "meta.v1", "meta.k8s.io/v1beta1": "meta.v1beta1"}
    for definition, schema in definitions.items():
        home = short(message_name(definition)).rpartition(".")[0]
        for kind in schema.get("x-kubernetes-group-version-kind") or ():
            if not home.startswith("meta."):
                found["/".join(part for part in (kind["group"], kind["version"]) if part)] = home
    return dict(sorted(found.items()))


def render(messages: Messages, definitions: Mapping[str, JSON]) -> str:
    """The module."""
    by_package: dict[str, list[str]] = {}
    for name, fields in sorted(rows(messages, definitions).items()):
        home, _, last = name.rpartition(".")
        by_package.setdefault(home, []).extend(_wrapped(last, fields))
    lines = [
        '"""Numbers and types of the fields of protobuf messages. Generated by `k8srt.codegen.protobuf`; do not edit.',
        "",
        "A line has a message: for each field the name it has in JSON, its number, `*` for lists and `%` for maps, and",
        "its type: nothing for text, `i` for integers, `b` for booleans, `d` for doubles, `B` for bytes, or `=` and",
        "a message. A field without a name is embedded. Indented lines continue the one above.",
        '"""',
        "",
        "PACKAGES = {",
        *(f'    "{version}": "{package}",' for version, package in packages(definitions).items()),
        "}",
        "",
        'FIELDS = """',
    ]
    for home, written in sorted(by_package.items()):
        lines += [f"[{home}]", *written]
    return "\n".join((*lines, '"""', ""))


def _wrapped(name: str, fields: list[str]) -> Iterator[str]:
    line = name
    for field in fields:
        if len(line) + 1 + len(field) > _WIDTH:
            yield line
            line = ""
        line = f"{line} {field}"
    yield line


def main(arguments: list[str]) -> None:
    fields, document = (json.loads(Path(path).read_text()) for path in arguments)
    sys.stdout.write(render(fields, document["definitions"]))


if __name__ == "__main__":
    main(sys.argv[1:])
