"""A client as small as can be for tests of the embedded server: JSON in, JSON out, over real HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import urllib3

from k8srt.testing import APIServer

JSON = dict[str, Any]
LIMIT = 10.0
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


class Answer:
    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.data = response.data

    @property
    def body(self) -> Any:
        return json.loads(self.data)

    @property
    def reason(self) -> str:
        return str(self.body.get("reason"))


class Client:
    """Talks to one server; close it, or use it as a context manager."""

    def __init__(self, server: APIServer, token: str | None = None) -> None:
        self._url = server.url
        self._headers = {"Authorization": f"Bearer {token or server.token}", "User-Agent": "test/1"}
        self._pool = urllib3.PoolManager(retries=False, timeout=LIMIT)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.clear()

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        sent = {**self._headers, "Content-Type": "application/json", **named}
        return Answer(self._pool.request(method, self._url + path, body=data, headers=sent))

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, **headers)

    def post(self, path: str, body: Any) -> Answer:
        return self.send("POST", path, body)

    def put(self, path: str, body: Any) -> Answer:
        return self.send("PUT", path, body)

    def patch(self, path: str, body: Any, kind: str = "merge-patch+json") -> Answer:
        return self.send("PATCH", path, body, Content_Type=f"application/{kind}")

    def delete(self, path: str, body: Any = None) -> Answer:
        return self.send("DELETE", path, body)

    def watch(self, path: str) -> Watch:
        joint = "&" if "?" in path else "?"
        url = f"{self._url}{path}{joint}watch=true"
        return Watch(self._pool.request("GET", url, headers=self._headers, preload_content=False))

    def until_gone(self, path: str) -> None:
        """Wait until something answers 404, by watching for nothing: the background workers are quick."""
        for _ in range(200):
            if self.get(path).status == 404:
                return
            threading.Event().wait(0.02)
        raise AssertionError(f"{path} is still there")


class Watch:
    """The events of one watch, read line by line in the calling thread."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self.status = response.status
        self._response = response
        self._lines = self._read()

    def _read(self) -> Iterator[JSON]:
        rest = b""
        for chunk in self._response.stream(amt=None):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield json.loads(line)

    def next(self) -> JSON:
        """The next event; raises StopIteration at the end of the stream."""
        return next(self._lines)

    def ended(self) -> bool:
        return next(self._lines, None) is None

    def close(self) -> None:
        self._response.close()
        self._response.release_conn()

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def seen(event: JSON) -> tuple[str, str]:
    return event["type"], event["object"]["metadata"]["name"]
