"""The folder in which a cluster is kept between runs: its objects, its keys, its administrator's token.

Everything in it may be read by its owner only. One server uses a folder at a time.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from k8srt.errors import ConfigError
from k8srt.testing.apiserver.journal import Journal
from k8srt.util.certificates import Authority, Pair


class DataDir:
    """A folder with `cluster.db`, `token`, `service-account.key`, `ca.crt` and `ca.key`; made when it is missing."""

    def __init__(self, path: str | Path) -> None:
        """Raises ConfigError, naming the folder, when it cannot be used or another server uses it."""
        self.path = Path(path)
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as err:
            raise ConfigError(f"data directory {path}: {err.strerror}") from err
        self.journal = Journal(self.path / "cluster.db")

    def recall(self, name: str, make: Callable[[], bytes]) -> bytes:
        """What the file `name` holds; made and kept, when there is none."""
        path = self.path / name
        try:
            return path.read_bytes()
        except FileNotFoundError:
            made = make()
            _keep(path, made)
            return made
        except OSError as err:
            raise ConfigError(f"data directory {self.path}: {name}: {err.strerror}") from err

    def authority(self) -> Authority:
        """The certificate authority of this cluster; made when it is first asked for. Raises ConfigError."""
        made: list[Authority] = []

        def key() -> bytes:
            made.append(Authority.new())
            _keep(self.path / "ca.crt", made[0].pair.certificate)
            return made[0].pair.key

        found = self.recall("ca.key", key)
        return made[0] if made else Authority(Pair(self.recall("ca.crt", lambda: b""), found))


def _keep(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, whatever ends the process."""
    beside = path.with_name(path.name + ".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
