"""Putting generated files where they belong: only what changed is written, and what's no longer made is removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

MARK = "enerated by `k8srt generate`"
"""Stands in the first lines of every generated module; a file without it is never removed."""


def write_files(root: Path, files: Mapping[str, str], *, prune: bool = True) -> list[Path]:
    """Write `files` (path below `root` → text) and return the paths that changed.

    A file whose text is there already isn't touched. With `prune`, generated files of an earlier run that aren't
    among `files` are removed. Missing package `__init__` files of `root` and the folders below are made, empty.
    Raises FileExistsError, before anything is written, when a file is there that wasn't generated.
    """
    for name in files:
        if (root / name).exists() and not _is_generated(root / name):
            raise FileExistsError(f"{root / name} is there already and wasn't generated: it stays as it is")
    wanted = {"__init__.py": "", **files}
    for name in files:
        for parent in Path(name).parents:
            if parent.parts:
                wanted.setdefault(str(parent / "__init__.py"), "")
    changed = [root / name for name in sorted(wanted) if _write(root / name, wanted[name], keep=name not in files)]
    stale = [path for path in _generated(root) if prune and str(path.relative_to(root)) not in wanted]
    for path in stale:
        path.unlink()
    return changed + stale


def _write(path: Path, text: str, *, keep: bool) -> bool:
    """Whether the file changed. With `keep`, one that exists stays as it is."""
    if path.exists() and (keep or path.read_text(encoding="utf-8") == text):
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return True


def _generated(root: Path) -> Iterator[Path]:
    """Files below `root` that carry the mark."""
    return (path for path in sorted(root.rglob("*.py")) if _is_generated(path))


def _is_generated(path: Path) -> bool:
    with path.open(encoding="utf-8") as file:
        return MARK in file.read(400)
