"""YAML in and out, as kubectl reads it: timestamps stay text, and what looks like something else is quoted.

`load` and `load_all` give values. `documents` gives them with their places, for those who have to say where something
is wrong: which document, which line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import yaml

from k8srt.errors import DecodeError

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]
    """The safe loader without dates."""


_Loader.yaml_implicit_resolvers = {
    key: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for key, resolvers in _Base.yaml_implicit_resolvers.items()
}


class _Dumper(yaml.SafeDumper):
    """The safe dumper, quoting also the texts that other readers take for booleans or numbers."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^[yYnN]$"), list("yYnN"))
_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9][0-9_]*(\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def load_all(text: str | bytes) -> Iterator[Any]:
    """The documents of a YAML (or JSON) text, empty ones left out. Raises DecodeError naming the place."""
    try:
        yield from (document for document in yaml.load_all(text, Loader=_Loader) if document is not None)
    except yaml.YAMLError as err:
        raise DecodeError(f"malformed YAML: {err}") from err


class Document(NamedTuple):
    """One document of a text: its value, which one it is, counting from 1, and in which line it begins."""

    value: Any
    number: int
    line: int
    node: Any = None  # of the YAML parser; None for JSON

    def line_of(self, path: Sequence[str | int]) -> int:
        """The line where the value at `path` is, or the part of the path that there is."""
        node, line = self.node, self.line
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            line, node = found
        return line


def _child(node: Any, step: str | int) -> tuple[int, Any] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        found = node.value[step]
        return found.start_mark.line + 1, found
    return None


def documents(text: str | bytes) -> Iterator[Document]:
    """The documents of a YAML text, or of one or more JSON values, empty ones left out.

    Raises DecodeError naming the document and the line, also for a key that stands twice in one mapping.
    """
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as err:
            raise DecodeError(f"neither YAML nor JSON: {err}") from err
    if text.lstrip().startswith(("{", "[")) and (found := _json_values(text)) is not None:
        yield from found
        return
    number = 1
    try:
        loader = _Loader(text)
        while loader.check_node():
            node = loader.get_node()
            _check_keys(node)
            value = loader.construct_document(node)
            if value is not None:
                yield Document(value, number, node.start_mark.line + 1, node)
            number += 1
    except yaml.YAMLError as err:
        raise DecodeError(f"document {number}, {_explained(err)}") from err


def _json_values(text: str) -> list[Document] | None:
    """The values of a JSON text; None when it is something else, as YAML in braces."""
    decoder, at = json.JSONDecoder(), 0
    found: list[Document] = []
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        try:
            value, end = decoder.raw_decode(text, at)
        except json.JSONDecodeError:
            return None
        found.append(Document(value, len(found) + 1, text.count("\n", 0, at) + 1))
        at = end
    return found


def _check_keys(root: Any) -> None:
    """Raise for a key that stands twice in a mapping: one of the two would be lost without a word."""
    waiting, seen = [root], set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:  # an anchor
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            keys: set[tuple[str, str]] = set()
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                    if (key.tag, key.value) in keys:
                        raise yaml.MarkedYAMLError(None, None, f"key {key.value!r} is there twice", key.start_mark)
                    keys.add((key.tag, key.value))
                waiting.append(value)


def _explained(err: yaml.YAMLError) -> str:
    """`line 7, column 3: mapping values are not allowed here`."""
    mark = getattr(err, "problem_mark", None) or getattr(err, "context_mark", None)
    what = getattr(err, "problem", None) or str(err)
    context = getattr(err, "context", None)
    said = f"{context}, {what}" if context else what
    return f"line {mark.line + 1}, column {mark.column + 1}: {said}" if mark is not None else f"malformed YAML: {said}"


def load(text: str | bytes) -> Any:
    """The one document of a YAML text, or None. Raises DecodeError when there are several."""
    documents = list(load_all(text))
    if len(documents) > 1:
        raise DecodeError(f"expected one YAML document, found {len(documents)}")
    return documents[0] if documents else None


def dump(document: Any) -> str:
    """Block-style YAML in the order of the document."""
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, default_flow_style=False, allow_unicode=True)
    return text
