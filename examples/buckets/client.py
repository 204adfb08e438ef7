"""The storage service as a controller sees it: calls that end in bounded time, and errors that tell what to do next."""

from __future__ import annotations

from typing import Any

import urllib3

TIMEOUT = urllib3.Timeout(connect=5.0, read=10.0)


class StorageError(Exception):
    """The service cannot do it now, or cannot be reached; try again."""


class Refused(StorageError):
    """It will not do it as things are: the bucket is somebody else's, or holds files."""


class StorageClient:
    """Thread-safe."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._pool = urllib3.PoolManager(retries=False, timeout=TIMEOUT)

    def ensure(self, name: str, *, owner: str, quota: int) -> str:
        """Have a bucket; returns its URL. The same again changes nothing."""
        self._ask("PUT", name, {"owner": owner, "quota": quota})
        return f"{self._url}/buckets/{name}"

    def delete(self, name: str, *, owner: str) -> None:
        """Have no bucket. Again is fine."""
        self._ask("DELETE", f"{name}?owner={owner}", missing_ok=True)

    def _ask(self, method: str, path: str, body: Any = None, *, missing_ok: bool = False) -> None:
        try:
            answer = self._pool.request(method, f"{self._url}/buckets/{path}", json=body)
        except urllib3.exceptions.HTTPError as err:
            raise StorageError(f"the storage service cannot be reached: {err}") from err
        if answer.status == 200 or (answer.status == 404 and missing_ok):
            return
        kind = Refused if answer.status == 409 else StorageError
        raise kind(f"the storage service says {answer.status}: {answer.json()}")
