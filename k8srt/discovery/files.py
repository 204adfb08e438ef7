"""Writing a file that other processes read meanwhile. Contract: CLI-26."""

from __future__ import annotations

import os
import tempfile

FOLDER_MODE = 0o750
FILE_MODE = 0o660


def write_file(path: str, data: bytes) -> None:
    """Put `data` at `path`, all of it at once; folders on the way are made. Raises OSError."""
    folder, name = os.path.split(path)
    make_folders(folder)
    handle, temporary = tempfile.mkstemp(prefix=f"{name}.", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, FILE_MODE)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def make_folders(folder: str) -> None:
    """Make a folder and those above it, for the owner and the group only."""
    if not folder or os.path.isdir(folder):
        return
    make_folders(os.path.dirname(folder))
    try:
        os.mkdir(folder, FOLDER_MODE)
    except FileExistsError:
        if not os.path.isdir(folder):
            raise
