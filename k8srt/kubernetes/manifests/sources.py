"""From whatever people keep manifests in to a flat list of them, each with its place.

Objects, dicts, YAML or JSON text, open files, paths of files and folders, and any nesting of these in lists. What is
wrong with one raises DecodeError that names file, document, line and path; nothing has been sent by then.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from k8srt.apimachinery import yamlio
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.objectlist import ObjectList
from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.apimachinery.yamlio import Document
from k8srt.errors import DecodeError

ENDINGS = (".json", ".yaml", ".yml")

Source = Any
"""An Object, a mapping, text, bytes, a path, an open file, or an iterable of these."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a manifest stands: in which file ("" for what was given otherwise), and as which document of it."""

    file: str
    document: Document
    within: tuple[str | int, ...] = ()  # the path within the document, for an item of a list

    def line_of(self, *path: str | int) -> int:
        return self.document.line_of((*self.within, *path))

    def at(self, *path: str | int) -> str:
        """The place of a value of the manifest, for messages."""
        parts = [self.file] if self.file else []
        parts.append(f"{'document' if self.document.line else 'object'} {self.document.number}")
        if self.document.line:
            parts.append(f"line {self.line_of(*path)}")
        parts += [f"item {step + 1}" for step in self.within if isinstance(step, int)]
        return ", ".join(parts)

    def __str__(self) -> str:
        return self.at()


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object to be applied or deleted, and where it came from."""

    document: Mapping[str, Any]
    place: Place
    gvk: GroupVersionKind
    namespace: str
    name: str

    @property
    def label(self) -> str:
        """`deployment.apps/web`, as kubectl says it."""
        kind = self.gvk.kind.lower()
        return f"{kind}.{self.gvk.group}/{self.name}" if self.gvk.group else f"{kind}/{self.name}"

    def __str__(self) -> str:
        where = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.gvk.api_version} {self.gvk.kind} {where}"


def read(source: Source, *, recursive: bool = False) -> list[Manifest]:
    """All manifests of `source`, in its order; lists (`kind: List`, `PodList`) taken apart.

    A str with a line break or ": " is YAML or JSON text, any other the path of a file or folder. Of a folder the files
    ending in .yaml, .yml and .json are read, sorted by name, and with `recursive` those of its folders.

    Raises FileNotFoundError, DecodeError, TypeError for what is no manifest, ValueError when there is none at all.
    """
    places = _places(source, recursive, _Count())
    found = [manifest for place in places for manifest in _flat(place.document.value, place)]
    if not found:
        raise ValueError(f"no objects in {_named(source)}")
    return found


# ---- places -------------------------------------------------------------------------------------------------------


class _Count:
    """Numbers what has no number of its own."""

    def __init__(self) -> None:
        self.value = 0

    def next(self) -> int:
        self.value += 1
        return self.value


def _places(source: Source, recursive: bool, count: _Count) -> Iterator[Place]:
    if isinstance(source, Object):
        yield Place("", Document(_plain(source, count), count.next(), 0))
    elif isinstance(source, Mapping):
        yield Place("", Document(source, count.next(), 0))
    elif isinstance(source, str):
        yield from _text("", source) if _is_text(source) else _path(source, recursive)
    elif isinstance(source, (bytes, bytearray)):
        yield from _text("", bytes(source))
    elif isinstance(source, os.PathLike):
        yield from _path(os.fspath(source), recursive)
    elif hasattr(source, "read"):
        yield from _text(str(getattr(source, "name", "")), source.read())
    elif isinstance(source, (ObjectList, Iterable)):
        for each in source:
            yield from _places(each, recursive, count)
    else:
        raise TypeError(
            f"expected objects, dicts, YAML text, a path, or a list of these, not {type(source).__name__}: {source!r}"
        )


def _plain(obj: Object, count: _Count) -> dict[str, Any]:
    try:
        return obj.to_dict()
    except DecodeError as err:
        raise DecodeError(f"object {count.value + 1}: {err}") from err


def _is_text(source: str) -> bool:
    if "\n" in source:
        return True
    return (": " in source or source.lstrip().startswith("{")) and not os.path.exists(source)


def _text(file: str, text: str | bytes) -> Iterator[Place]:
    try:
        for document in yamlio.documents(text):
            yield Place(file, document)
    except DecodeError as err:
        raise DecodeError(f"{file}, {err}" if file else str(err)) from err


def _path(given: str, recursive: bool) -> Iterator[Place]:
    path = Path(given)
    if path.is_dir():
        for file in _files(path, recursive):
            yield from _text(str(file), file.read_bytes())
    elif path.exists():
        yield from _text(str(path), path.read_bytes())
    elif "://" in given:
        raise ValueError(f"{given}: manifests are not downloaded; get the text and give that")
    else:
        raise FileNotFoundError(f"no such file or folder: {given!r} (text has a line break or ': ' in it)")


def _files(folder: Path, recursive: bool) -> list[Path]:
    found = folder.rglob("*") if recursive else folder.iterdir()
    return sorted(path for path in found if path.suffix in ENDINGS and path.is_file())


def _named(source: Source) -> str:
    if isinstance(source, os.PathLike) or (isinstance(source, str) and "\n" not in source and source):
        return repr(os.fspath(source))
    return "what was given" if source else f"an empty {type(source).__name__}"


# ---- manifests ----------------------------------------------------------------------------------------------------


def _flat(value: Any, place: Place) -> Iterator[Manifest]:
    if not isinstance(value, Mapping):
        raise DecodeError(f"{place}: expected a mapping with apiVersion and kind, got {shown(value)}")
    items = value.get("items")
    kind = value.get("kind")
    if isinstance(kind, str) and kind.endswith("List") and isinstance(items, list):
        for index, item in enumerate(items):
            inside = Place(place.file, place.document, (*place.within, "items", index))
            yield from _flat(_completed(item, value), inside)
    else:
        yield _manifest(value, place)


def _completed(item: Any, of: Mapping[str, Any]) -> Any:
    """An item of a typed list with the kind that the list implies."""
    kind = str(of.get("kind")).removesuffix("List")
    if not kind or not isinstance(item, Mapping) or "kind" in item:
        return item
    return {"apiVersion": of.get("apiVersion"), "kind": kind, **item}


def _manifest(value: Mapping[str, Any], place: Place) -> Manifest:
    api_version, kind = _word(value, place, "apiVersion"), _word(value, place, "kind")
    try:
        gvk = GroupVersionKind.of(api_version, kind)
    except ValueError as err:
        raise DecodeError(f"{place.at('apiVersion')}: apiVersion: {err}") from err
    metadata = value.get("metadata")
    if not isinstance(metadata, Mapping):
        raise DecodeError(f"{place.at('metadata')}: {kind}: metadata: expected a mapping, got {shown(metadata)}")
    if not metadata.get("name") and metadata.get("generateName"):
        raise DecodeError(f"{place.at('metadata')}: {kind}: metadata.name: a generateName is for create, not for this")
    name = _word(metadata, place, "name", of=f"{kind}: metadata.", within=("metadata",))
    namespace = metadata.get("namespace") or ""
    if not isinstance(namespace, str):
        where = place.at("metadata", "namespace")
        raise DecodeError(f"{where}: {kind} {name}: metadata.namespace: expected str, got {shown(namespace)}")
    return Manifest(value, place, gvk, namespace, name)


def _word(value: Mapping[str, Any], place: Place, key: str, of: str = "", within: tuple[str, ...] = ()) -> str:
    found = value.get(key)
    if isinstance(found, str) and found:
        return found
    what = "is missing" if found in (None, "") else f"expected str, got {shown(found)}"
    raise DecodeError(f"{place.at(*within, key)}: {of}{key}: {what}")


def shown(value: Any, limit: int = 60) -> str:
    """A value for a message: short, and in YAML's words where it is nothing."""
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}…"
