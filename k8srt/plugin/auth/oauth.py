"""The part of OAuth 2 that providers need: a refresh token for a new token. Shows no secret in any error."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode

from k8srt.errors import CredentialsError
from k8srt.plugin.auth.registry import Answer, Asks
from k8srt.util.threads import Stop

_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


def refresh(
    ask: Asks,
    url: str,
    fields: Mapping[str, str],
    *,
    client: tuple[str, str] | None,
    stop: Stop,
    ca_file: str = "",
    ca_data: bytes = b"",
) -> dict[str, Any]:
    """Post the fields to a token endpoint and return what it gives.

    `client` is id and secret; they go into the header first, and if that is refused into the form, as servers want the
    one or the other. Raises CredentialsError with the reason that the server gives.
    """
    attempts: list[tuple[dict[str, str], dict[str, str]]] = [({}, dict(fields))]
    if client is not None:
        pair = base64.b64encode(":".join(map(quote_plus, client)).encode()).decode("ascii")
        secret = {"client_secret": client[1]} if client[1] else {}
        attempts = [
            ({"Authorization": f"Basic {pair}"}, dict(fields)),
            ({}, {**fields, "client_id": client[0], **secret}),
        ]
    for headers, form in attempts:
        body = urlencode(form).encode()
        answer = ask("POST", url, headers={**_FORM, **headers}, body=body, stop=stop, ca_file=ca_file, ca_data=ca_data)
        if 200 <= answer.status < 300:
            return _parsed(answer)
        if answer.status >= 500 or "invalid_grant" in _reason(answer):  # it knows the client
            break
    raise CredentialsError(f"failed to refresh token: {url} answered {answer.status}{_reason(answer)}")


def _parsed(answer: Answer) -> dict[str, Any]:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("application/x-www-form-urlencoded", "text/plain"):
        return dict(parse_qsl(answer.body.decode("utf-8", "replace")))
    return answer.json()


def _reason(answer: Answer) -> str:
    """The error as RFC 6749 has it, and nothing else of the body."""
    try:
        said = answer.json()
    except CredentialsError:
        return ""
    parts = [said.get("error"), said.get("error_description")]
    text = ": ".join(part for part in parts if isinstance(part, str) and part.isprintable())
    return f": {text[:300]}" if text else ""
