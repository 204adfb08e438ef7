"""Handlers of webhooks in any WSGI server: `application = as_wsgi(AdmissionWebhook(handle))`. Contract: ADM-10."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from k8srt.controller.serving.messages import MAX_BODY, DropConnection, HTTPHandler, HTTPRequest, HTTPResponse, text

log = logging.getLogger(__name__)

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def as_wsgi(handler: HTTPHandler) -> Application:
    """A WSGI application that answers every path with `handler`."""
    limit = int(getattr(handler, "max_body", MAX_BODY))

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        response = _answer(handler, environ, limit)
        line, *lines = response.head().decode("latin-1").strip().split("\r\n")
        headers = [(name, value) for name, _, value in (each.partition(": ") for each in lines)]
        start_response(line.partition(" ")[2], headers)
        return [response.body]

    return application


def _answer(handler: HTTPHandler, environ: dict[str, Any], limit: int) -> HTTPResponse:
    length = str(environ.get("CONTENT_LENGTH") or "0")
    if not length.isdigit():
        return text(400, "malformed length")
    request = HTTPRequest(
        str(environ.get("REQUEST_METHOD", "POST")),
        str(environ.get("SCRIPT_NAME", "")) + str(environ.get("PATH_INFO", "")),
        str(environ.get("QUERY_STRING", "")),
        {"content-type": str(environ.get("CONTENT_TYPE", ""))},
        environ["wsgi.input"].read(min(int(length), limit + 1)),
    )
    try:
        return handler.handle(request)
    except (Exception, SystemExit, DropConnection):  # WSGI has no connections to drop
        log.exception("%s: the handler failed", request.path)
        return text(500, "the handler failed")
