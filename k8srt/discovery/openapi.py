"""The OpenAPI v3 documents of a server: an index with a hash for each, and the documents. Contract: CLI-24."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import cachetools

from k8srt.errors import DecodeError

KEPT = 128
"""How many documents one index keeps."""

Fetch = Callable[[str], dict[str, Any]]


class OpenAPIPath(NamedTuple):
    """One line of the index: where a document is, relative to the server, and its hash ("" if the server gives none).

    A document with the same hash is the same document.
    """

    url: str
    hash: str


class OpenAPIV3:
    """The index: `paths` maps "api/v1", "apis/apps/v1" to where its document is. Iterates over these names.

    Documents are fetched when asked for and kept, since their hash is part of their address. Thread-safe.
    """

    def __init__(self, paths: Mapping[str, OpenAPIPath], fetch: Fetch) -> None:
        self.paths: Mapping[str, OpenAPIPath] = MappingProxyType(dict(paths))
        self._fetch = fetch
        self._lock = threading.Lock()  # guards _documents
        self._documents: cachetools.LRUCache[str, dict[str, Any]] = cachetools.LRUCache(KEPT)

    @classmethod
    def of(cls, document: Mapping[str, Any], fetch: Fetch) -> OpenAPIV3:
        """Read the index as a server sends it. Raises DecodeError for something else."""
        paths = {}
        found = document.get("paths")
        if not isinstance(found, Mapping):
            raise DecodeError("/openapi/v3: expected an index with paths")
        for name, entry in found.items():
            url = entry.get("serverRelativeURL") if isinstance(entry, Mapping) else None
            if not isinstance(url, str):
                raise DecodeError(f"/openapi/v3: paths.{name}: expected a serverRelativeURL")
            paths[name] = OpenAPIPath(url, parse_qs(urlsplit(url).query).get("hash", [""])[0])
        return cls(paths, fetch)

    def schema(self, path: str) -> dict[str, Any]:
        """The document of one path of the index, as plain values; treat it as read-only.

        Also takes a group-version: "apps/v1", "v1". Raises KeyError for a path that is not in the index.
        """
        name = path if path in self.paths else ("apis/" if "/" in path else "api/") + path
        if name not in self.paths:
            raise KeyError(f"the server has no OpenAPI v3 document for {path!r}; it has {', '.join(self.paths)}")
        url = self.paths[name].url
        with self._lock:
            document = self._documents.get(url)
        if document is None:
            document = self._fetch(url)
            with self._lock:
                document = self._documents.setdefault(url, document)
        return document

    def __iter__(self) -> Iterator[str]:
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.paths)

    def __contains__(self, path: object) -> bool:
        return path in self.paths

    def __repr__(self) -> str:
        return f"<OpenAPIV3 with {len(self.paths)} documents>"
