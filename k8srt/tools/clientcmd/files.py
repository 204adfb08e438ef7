"""Kubeconfig files on disk: the lock that kubectl honours, and a replacement that is whole or not there.

Contract: KCFG-08, KCFG-09, KCFG-37.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator

from k8srt.errors import ConfigError
from k8srt.tools.clientcmd.codec import write
from k8srt.tools.clientcmd.errors import ConfigLocked
from k8srt.tools.clientcmd.model import KubeConfig


@contextlib.contextmanager
def locked(paths: Iterable[str]) -> Iterator[None]:
    """Hold `<path>.lock` of each file, taken in the order of their names, as kubectl does.

    Never waits: raises ConfigLocked when a lock is there, ConfigError when one cannot be made. The locks this call made
    are removed at the end, whatever happens.
    """
    with contextlib.ExitStack() as held:
        for path in sorted(dict.fromkeys(paths)):
            held.callback(_unlock, _lock(path))
        yield


def write_to_file(config: KubeConfig, path: str | os.PathLike[str]) -> None:
    """Make this the whole content of a file, as `write_atomically`. Raises ValueError for what no file can hold."""
    write_atomically(os.fspath(path), write(config))


def write_atomically(path: str, content: bytes) -> None:
    """Replace a file, or make it, with mode 0600: readers see the old content or the new, never a part.

    Folders on the way are made (0755). A link stays a link, and what it leads to is replaced; the file keeps its owner
    where that is possible. Raises ConfigError naming the file.
    """
    import tempfile  # with all that it imports, for the few who write

    target = os.path.realpath(path)
    try:
        _make_folder(target)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{os.path.basename(target)}.", dir=os.path.dirname(target))
        try:
            with os.fdopen(descriptor, "wb") as file:  # made with mode 0600
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            _keep_owner(target, temporary)
            os.replace(temporary, target)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError as err:
        raise ConfigError(f'kubeconfig file "{path}": unable to write: {err.strerror or err}') from err


def _lock(path: str) -> str:
    lock = f"{path}.lock"
    try:
        _make_folder(path)
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL, 0))
    except FileExistsError as err:
        raise ConfigLocked(path, lock) from err
    except OSError as err:
        raise ConfigError(f'kubeconfig file "{path}": unable to make {lock}: {err.strerror or err}') from err
    return lock


def _unlock(lock: str) -> None:
    with contextlib.suppress(FileNotFoundError):  # somebody thought that we were dead
        os.unlink(lock)


def _make_folder(path: str) -> None:
    if folder := os.path.dirname(path):
        os.makedirs(folder, mode=0o755, exist_ok=True)


def _keep_owner(target: str, temporary: str) -> None:
    with contextlib.suppress(OSError, AttributeError):
        was, now = os.stat(target), os.stat(temporary)
        if (was.st_uid, was.st_gid) != (now.st_uid, now.st_gid):
            os.chown(temporary, was.st_uid, was.st_gid)
