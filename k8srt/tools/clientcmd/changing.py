"""Change a configuration where it is written: under kubectl's locks, each entry in the file it came from, nothing lost.

    with clientcmd.editing() as config:
        config.contexts["dev"] = Context(cluster="kind", user="me", namespace="web")
        config.current_context = "dev"

`editing` and `modify` read under the lock and write under the same lock, so what others wrote is there, and what they
want to write has to wait. `modify_config` is upstream's: it takes a whole configuration that was made before, and
writes what differs from what is there now.

Files that need no change are not touched. The others are replaced as a whole, with mode 0600; all of them are made
before the first is replaced. Comments are lost, and nothing else: other keys, extensions and the order stay.

Contract: KCFG-34 to KCFG-39, KCFG-41.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from operator import attrgetter
from typing import Any, TypeVar

from k8srt.errors import ConfigError
from k8srt.tools.clientcmd.codec import KIND, VERSION, documents, from_dict, read_bytes, to_dict
from k8srt.tools.clientcmd.difference import patched
from k8srt.tools.clientcmd.errors import ConfigFileNotFound
from k8srt.tools.clientcmd.files import locked, write_atomically
from k8srt.tools.clientcmd.model import AuthInfo, Cluster, Context, KubeConfig
from k8srt.tools.clientcmd.paths import folder_of, relativized
from k8srt.tools.clientcmd.rules import ConfigAccess, PathOptions
from k8srt.tools.clientcmd.scalars import dump

E = TypeVar("E", Cluster, AuthInfo, Context)
Where = ConfigAccess | str | os.PathLike[str] | None
"""Rules, or one file; None means the rules of `kubectl config`."""


@contextlib.contextmanager
def editing(where: Where = None, *, relativize: bool = False) -> Iterator[KubeConfig]:
    """The configuration as it is now, merged, for the block to change; written when the block ends without an error.

    Paths are as they stand in the files; with `relativize` those below the folder of their file are written relative.
    The files are locked meanwhile. Raises ConfigLocked, without waiting, when somebody else holds a lock; LoadError for
    files that cannot be read; ValueError for what no file can hold, and ConfigError for what cannot be written.
    """
    access = _access(where)
    with locked(access.files()):
        start = access.starting_config()
        config = start.copy()
        yield config
        _write_difference(access, start, config, relativize)


def modify(where: Where, change: Callable[[KubeConfig], object], *, relativize: bool = False) -> None:
    """Call `change` with the configuration as it is now, and write what it changed. Raises as `editing`."""
    with editing(where, relativize=relativize) as config:
        change(config)


def modify_config(
    access: ConfigAccess, new: KubeConfig, *, relativize: bool = True, base: KubeConfig | None = None, lock: bool = True
) -> None:
    """Write what of `new` differs from what is there now; entries that `new` lacks are removed.

    With `base`, which `new` was made from, only what differs between these two is written: what others wrote since then
    stays. Raises as `editing`.
    """
    with locked(access.files() if lock else ()):
        _write_difference(access, access.starting_config() if base is None else base, new, relativize)


class UserPersister:
    """Keeps the settings of one user's auth provider in the files they came from. Contract: KCFG-39."""

    def __init__(self, access: ConfigAccess, user: str) -> None:
        self._access = access
        self._user = user

    def persist(self, config: Mapping[str, str]) -> None:
        """Make these the settings of the provider. Raises ConfigError when they cannot be written."""
        with editing(self._access) as kubeconfig:
            user = kubeconfig.users.get(self._user)
            if user is None or user.auth_provider is None:
                raise ConfigError(f'user "{self._user}" has no auth-provider any more')
            user.auth_provider.config = dict(config)

    def __repr__(self) -> str:
        return f"UserPersister({self._access!r}, {self._user!r})"


class _File:
    """One file that is about to change: what it holds, and what it shall."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self._documents = documents(read_bytes(path), path)
        except ConfigFileNotFound:
            self._documents = [{}]
        self._before = from_dict(self._documents[0], path)
        self.config = self._before.copy()

    def content(self) -> bytes | None:
        """What to write, or None when nothing differs. Raises ValueError for what no file can hold."""
        before, after = to_dict(self._before), to_dict(self.config)
        from_dict(after, self.path)
        if before == after:
            return None
        first = patched({"apiVersion": VERSION, "kind": KIND, **self._documents[0]}, before, after)
        return dump(first, *self._documents[1:]).encode()


class _Files:
    """The files that are about to change, each read when it is first touched."""

    def __init__(self, access: ConfigAccess) -> None:
        self._access = access
        self._open: dict[str, _File] = {}

    def at(self, path: str) -> _File:
        path = path or self._access.default_file()
        if not path:
            raise ConfigError("there is no kubeconfig file to write to")
        real = os.path.realpath(path)
        if real not in self._open:
            self._open[real] = _File(path)
        return self._open[real]

    def existing(self) -> list[_File]:
        return [self.at(path) for path in self._access.files() if os.path.exists(path)]

    def is_listed(self, path: str) -> bool:
        return path in self._access.files()

    def write(self) -> None:
        contents = [(file.path, file.content()) for file in self._open.values()]
        for path, content in contents:
            if content is not None:
                write_atomically(path, content)


def _access(where: Where) -> ConfigAccess:
    if where is None:
        return PathOptions()
    if isinstance(where, (str, os.PathLike)):
        return PathOptions(os.fspath(where))
    return where


def _write_difference(access: ConfigAccess, start: KubeConfig, new: KubeConfig, relativize: bool) -> None:
    if to_dict(start) == to_dict(new):
        return
    files = _Files(access)
    for name in ("clusters", "users", "contexts"):
        _put_entries(files, name, getattr(start, name), getattr(new, name), relativize)
    if start.current_context != new.current_context:
        _put_current_context(files, access, new.current_context)
    if start.preferences != new.preferences:
        _put_preferences(files, access, start, new)
    for name in ("extensions", "unknown"):
        _put_named(files, attrgetter(f"config.{name}"), getattr(start, name), getattr(new, name))
    files.write()


def _put_entries(files: _Files, plural: str, start: dict[str, E], new: dict[str, E], relativize: bool) -> None:
    for name, entry in new.items():
        old = start.get(name)
        if old == entry:
            continue
        origin = old.location_of_origin if old is not None else entry.location_of_origin
        file = files.at(origin if old is not None or files.is_listed(origin) else "")
        entries = getattr(file.config, plural)
        written = entries.get(name)
        changed = _overlaid(written, old, entry)
        if relativize:
            changed = relativized(changed, folder_of(file.path), written)
        entries[name] = changed
    for name, old in start.items():
        if name not in new:
            getattr(files.at(old.location_of_origin).config, plural).pop(name, None)


def _overlaid(written: Any, old: Any, new: Any) -> Any:
    """What stands in the file, with the fields that differ between `old` and `new`."""
    if old == new:
        return written
    if not dataclasses.is_dataclass(new) or not type(written) is type(old) is type(new):
        return new
    result = copy.copy(written)
    for spec in dataclasses.fields(new):
        if spec.name != "location_of_origin":
            each = (getattr(entry, spec.name) for entry in (written, old, new))
            setattr(result, spec.name, _overlaid(*each))
    return result


def _put_current_context(files: _Files, access: ConfigAccess, name: str) -> None:
    """Set in the default file; cleared in the first that sets it. Contract: KCFG-36."""
    if name or access.explicit_path:
        files.at(access.explicit_path).config.current_context = name
        return
    for file in files.existing():
        if file.config.current_context:
            file.config.current_context = ""
            return


def _put_preferences(files: _Files, access: ConfigAccess, start: KubeConfig, new: KubeConfig) -> None:
    """Into the first file that differs; what is gone goes from all. Contract: KCFG-36."""
    there = [files.at(access.explicit_path)] if access.explicit_path else files.existing() or [files.at("")]
    gone = set(start.preferences.extensions) - set(new.preferences.extensions)
    for file in there:
        kept = {name: value for name, value in file.config.preferences.extensions.items() if name not in gone}
        colors = file.config.preferences.colors and new.preferences.colors
        file.config.preferences = replace(file.config.preferences, colors=colors, extensions=kept)
    differing = next((file for file in there if file.config.preferences != new.preferences), None)
    if differing is not None:
        differing.config.preferences = new.preferences


def _put_named(
    files: _Files, of: Callable[[_File], dict[str, Any]], start: Mapping[str, Any], new: Mapping[str, Any]
) -> None:
    """Values without an origin: changed where they stand first, new ones in the default file, gone from all."""
    for name, value in new.items():
        if name not in start or start[name] != value:
            file = next((file for file in files.existing() if name in of(file)), None) or files.at("")
            of(file)[name] = value
    for name in start:
        if name not in new:
            for file in files.existing():
                of(file).pop(name, None)
