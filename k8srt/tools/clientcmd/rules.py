"""Which files make the configuration, and where changes of it go.

Two kinds of rules: `LoadingRules` are those of programs, `PathOptions` those of `kubectl config`. They differ in the
file that new entries go to, and in what paths look like.

Contract: KCFG-01 to KCFG-08, KCFG-35.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Protocol

from k8srt.tools.clientcmd.codec import load_from_file, read_bytes
from k8srt.tools.clientcmd.errors import ConfigFileNotFound, LoadError
from k8srt.tools.clientcmd.files import write_atomically
from k8srt.tools.clientcmd.merging import merge
from k8srt.tools.clientcmd.model import KubeConfig
from k8srt.tools.clientcmd.paths import resolve_paths
from k8srt.util.homedir import home_dir

__all__ = ["ENVIRONMENT", "ConfigAccess", "LoadingRules", "PathOptions", "merge", "resolve_paths"]

log = logging.getLogger(__name__)

ENVIRONMENT = "KUBECONFIG"


class ConfigAccess(Protocol):
    """Where a configuration is read from and written to. Contract: KCFG-34 to KCFG-36."""

    explicit_path: str
    """The one file to look at, or nothing."""

    def files(self) -> list[str]:
        """The files that are looked at, the most important first."""
        ...

    def starting_config(self) -> KubeConfig:
        """What is there now, merged. Raises LoadError."""
        ...

    def default_file(self) -> str:
        """Where new entries go; "" when there is no such place."""
        ...


class LoadingRules:
    """An explicit file alone, or else the files of `$KUBECONFIG`, or else `~/.kube/config`."""

    def __init__(
        self, explicit_path: str = "", *, environ: Mapping[str, str] | None = None, resolve: bool = True
    ) -> None:
        """With `resolve=False` relative paths stay as they stand in the files."""
        environ = os.environ if environ is None else environ
        self.explicit_path = explicit_path
        self.resolve = resolve
        self.home_file = os.path.join(home_dir(environ), ".kube", "config")
        listed = environ.get(ENVIRONMENT, "")
        self._from_environment = bool(listed)
        chain = [path for path in listed.split(os.pathsep) if path] if listed else [self.home_file]
        self.precedence = list(dict.fromkeys(chain))

    def files(self) -> list[str]:
        """The files that are looked at, the most important first."""
        return [self.explicit_path] if self.explicit_path else list(self.precedence)

    def load(self) -> KubeConfig:
        """Read and merge.

        Raises LoadError with every file that cannot be read, its `rest` being what the others say; ConfigFileNotFound
        when the explicit file is missing. Files of the chain may be missing; if all of `$KUBECONFIG` are, it is logged.
        """
        self._migrate()
        configs: list[KubeConfig] = []
        problems: list[str] = []
        missing: list[str] = []
        for path in self.files():
            try:
                config = load_from_file(path)
                configs.append(resolve_paths(config, path) if self.resolve else config)
            except ConfigFileNotFound:
                missing.append(path)
            except LoadError as err:
                problems += err.problems
        if self.explicit_path and missing:
            raise ConfigFileNotFound(self.explicit_path)
        if problems:
            raise LoadError(problems, merge(configs))
        if missing and not configs and self._from_environment:
            log.warning("no file of $%s exists: %s", ENVIRONMENT, ", ".join(missing))
        return merge(configs)

    def starting_config(self) -> KubeConfig:
        """As `load`; an explicit file that is missing is an empty one, as it is about to be written."""
        try:
            return self.load()
        except ConfigFileNotFound:
            return KubeConfig()

    def default_file(self) -> str:
        """The explicit file; else the first of the chain that exists; else the first."""
        return next((path for path in self.files() if os.path.exists(path)), next(iter(self.files()), ""))

    def _migrate(self) -> None:
        """Kubernetes 1.0 had its file elsewhere. Contract: KCFG-08."""
        legacy = os.path.join(os.path.dirname(self.home_file), ".kubeconfig")
        if self.home_file in self.files() and os.path.isfile(legacy) and not os.path.exists(self.home_file):
            write_atomically(self.home_file, read_bytes(legacy))
            log.info("copied %s to %s", legacy, self.home_file)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self.files())})"


class PathOptions(LoadingRules):
    """The rules of `kubectl config`: paths stay as they stand, and a new file is the last of `$KUBECONFIG`."""

    def __init__(
        self, explicit_path: str = "", *, environ: Mapping[str, str] | None = None, resolve: bool = False
    ) -> None:
        super().__init__(explicit_path, environ=environ, resolve=resolve)

    def default_file(self) -> str:
        """The explicit file; else the first of the chain that exists; else the last."""
        files = self.files()
        return next((path for path in files if os.path.exists(path)), files[-1] if files else "")
