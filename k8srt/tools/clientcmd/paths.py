"""The paths in a kubeconfig: relative ones are those of the file they stand in.

Contract: KCFG-06, KCFG-38.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any, TypeVar

from k8srt.errors import ConfigError
from k8srt.tools.clientcmd.model import AuthInfo, Cluster, Context, KubeConfig

E = TypeVar("E", Cluster, AuthInfo, Context)

_PATHS: dict[type, tuple[str, ...]] = {
    Cluster: ("certificate_authority",),
    AuthInfo: ("client_certificate", "client_key", "token_file"),
    Context: (),
}


def folder_of(path: str) -> str:
    """The folder that the relative paths of a file are seen from."""
    return os.path.dirname(os.path.abspath(path))


def absolute(name: str, folder: str) -> str:
    """The path seen from the folder; nothing stays nothing."""
    return os.path.normpath(os.path.join(folder, name)) if name else name


def resolved(entry: E, folder: str) -> E:
    """A copy of the entry with absolute paths. A bare command is looked up in `$PATH` and stays."""
    changed: dict[str, Any] = {name: absolute(getattr(entry, name), folder) for name in _PATHS[type(entry)]}
    program = entry.exec if isinstance(entry, AuthInfo) else None
    if program is not None and _has_separator(program.command):
        changed["exec"] = replace(program, command=absolute(program.command, folder))
    return replace(entry, **changed)


def relativized(entry: E, folder: str, written: E | None = None) -> E:
    """A copy with the paths below the folder relative to it; one that would need `..` stays absolute.

    What already stands so in `written`, the entry of the file, stays. Raises ConfigError for any other relative path
    that leaves the folder.
    """

    def relative(name: str, was: str, field: str) -> str:
        return name if name == was and not os.path.isabs(name) else _relative(name, folder, field.replace("_", "-"))

    fields = _PATHS[type(entry)]
    changed: dict[str, Any] = {
        name: relative(getattr(entry, name), getattr(written, name, ""), name) for name in fields
    }
    program = entry.exec if isinstance(entry, AuthInfo) else None
    if program is not None and _has_separator(program.command):
        old = written.exec if isinstance(written, AuthInfo) and written.exec is not None else None
        command = relative(program.command, old.command if old else "", "exec.command")
        command = command if _has_separator(command) else os.path.join(os.curdir, command)
        changed["exec"] = replace(program, command=command)
    return replace(entry, **changed)


def resolve_paths(config: KubeConfig, path: str) -> KubeConfig:
    """A copy whose relative paths are absolute, seen from the folder of the file they stand in."""
    folder = folder_of(path)
    return replace(
        config,
        clusters={name: resolved(entry, folder) for name, entry in config.clusters.items()},
        users={name: resolved(entry, folder) for name, entry in config.users.items()},
    )


def _relative(name: str, folder: str, field: str) -> str:
    if not name:
        return name
    found = os.path.relpath(os.path.join(folder, name), folder)
    if found != os.pardir and not found.startswith(os.pardir + os.sep):
        return found
    if os.path.isabs(name):
        return name
    raise ConfigError(f"{field}: {name} requires backsteps and is not absolute")


def _has_separator(command: str) -> bool:
    return os.sep in command or (os.altsep is not None and os.altsep in command)
