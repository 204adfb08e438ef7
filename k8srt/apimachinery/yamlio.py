"""YAML in and out, as kubectl reads it: timestamps stay text, and what looks like something else is quoted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

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
