"""A storage service, as small as can be: folders of files behind HTTP. It stands for whatever yours is.

PUT    /buckets/NAME             {"owner": …, "quota": …}: made, or brought up to date; 409 if it is somebody else's
GET    /buckets/NAME             the same, and how many files it holds
DELETE /buckets/NAME?owner=…     404 if there is none, 409 if it is somebody else's or holds files
PUT    /buckets/NAME/FILE        a file; DELETE removes it
"""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from k8srt.util.threads import spawn

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*")
_ABOUT = ".about.json"


class StorageService:
    """Serves the buckets in a folder. A context manager: `url` says where."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        """Listens from now on; answers once it is entered."""
        service = self
        self.folder = folder
        self.lock = threading.Lock()  # one request at a time
        self.down = False  # for trying out what happens then

        class Handler(_Handler):
            storage = service

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread = spawn("storage-service", self._server.serve_forever, 0.05)
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    storage: StorageService

    def do_GET(self) -> None:
        self._answer(lambda bucket, file, query: self._about(bucket))

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer(lambda bucket, file, query: self._put(bucket, file, body))

    def do_DELETE(self) -> None:
        self._answer(self._delete)

    def _put(self, bucket: Path, file: str, body: bytes) -> tuple[int, Any]:
        if file:
            if not bucket.is_dir():
                return 404, "there is no such bucket"
            (bucket / file).write_bytes(body)
            return 200, {}
        wanted = json.loads(body)
        code, present = self._about(bucket)
        if code == 200 and present["owner"] != wanted["owner"]:
            return 409, f"it belongs to {present['owner']}"
        bucket.mkdir(exist_ok=True)
        (bucket / _ABOUT).write_text(json.dumps(wanted))
        return 200, wanted

    def _about(self, bucket: Path) -> tuple[int, Any]:
        if not bucket.is_dir():
            return 404, "there is no such bucket"
        files = sum(each.name != _ABOUT for each in bucket.iterdir())
        return 200, {**json.loads((bucket / _ABOUT).read_text()), "files": files}

    def _delete(self, bucket: Path, file: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        code, present = self._about(bucket)
        if code != 200:
            return code, present
        if file:
            (bucket / file).unlink(missing_ok=True)
            return 200, {}
        if present["owner"] != query.get("owner", [""])[0]:
            return 409, f"it belongs to {present['owner']}"
        if present["files"]:
            return 409, f"it holds {present['files']} files"
        (bucket / _ABOUT).unlink()
        bucket.rmdir()
        return 200, {}

    def _answer(self, act: Any) -> None:
        parts = urlsplit(self.path)
        words = parts.path.strip("/").split("/")
        if self.storage.down:
            code, body = 503, "down for maintenance"
        elif words[0] != "buckets" or len(words) not in (2, 3) or not all(map(_NAME.fullmatch, words)):
            code, body = 404, "expected /buckets/NAME or /buckets/NAME/FILE"
        else:
            with self.storage.lock:
                code, body = act(self.storage.folder / words[1], *words[2:] or [""], parse_qs(parts.query))
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged."""
