"""In which form bodies are sent, and which are understood. Contract: REST-18, REST-19, REST-43."""

from __future__ import annotations

from typing import NamedTuple

from k8srt.rest.config import Config

JSON = "application/json"
_CBOR = "application/cbor"


class Media(NamedTuple):
    """The content type of bodies, and the value of `Accept`."""

    content_type: str
    accept: str


def negotiate(config: Config) -> Media:
    """Return what `config` asks for, with JSON where that is CBOR."""
    content_type = _without_cbor(config.content_type) or JSON
    accepted = ",".join(_without_cbor(clause) for clause in config.accept_content_types.split(","))
    return Media(content_type, accepted or f"{content_type}, */*")


def check_writable(content_type: str) -> None:
    """Raises ValueError for a content type that objects cannot be sent as."""
    if content_type.partition(";")[0].strip().lower() != JSON:
        raise ValueError(f"objects are sent as {JSON}, not as {content_type!r}; give bytes and a Content-Type header")


def _without_cbor(clause: str) -> str:
    """A content type, or one clause of several, with its parameters kept."""
    kind, semicolon, parameters = clause.partition(";")
    if kind.strip().lower() != _CBOR:
        return clause
    return kind.replace(kind.strip(), JSON) + semicolon + parameters
