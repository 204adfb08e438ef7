"""Putting generated files where they belong: only what changed is written, and what's no longer made is removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

MARK = "enerated by `k8srt generate`"
"""Stands in the first lines of every generated module; a file without it is never removed."""


def write_files(root: Path, files: Mapping[str, str], *, prune: bool = True, check: bool = False) -> list[Path]:
    """Write `files` (path below `root` → text) and return the paths that changed; with `check`, those that would.

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
    changed = [root / name for name in sorted(wanted) if _differs(root / name, wanted[name], keep=name not in files)]
    stale = [path for path in _generated(root) if prune and str(path.relative_to(root)) not in wanted]
    if not check:
        for path in changed:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[str(path.relative_to(root))], encoding="utf-8", newline="\n")
        for path in stale:
            path.unlink()
    return changed + stale


def _differs(path: Path, text: str, *, keep: bool) -> bool:
    """Whether a file has to be written. With `keep`, one that exists stays as it is."""
    return not path.exists() or not (keep or path.read_bytes() == text.encode())


def _generated(root: Path) -> Iterator[Path]:
    """Files below `root` that carry the mark."""
    return (path for path in sorted(root.rglob("*.py")) if _is_generated(path))


def _is_generated(path: Path) -> bool:
    with path.open(encoding="utf-8") as file:
        return MARK in file.read(400)
