"""Which files make the configuration, and how they are merged.

Contract: KCFG-01 to KCFG-07.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace

from k8srt.tools.clientcmd.codec import load_from_file
from k8srt.tools.clientcmd.errors import LoadError
from k8srt.tools.clientcmd.model import AuthInfo, Cluster, KubeConfig

log = logging.getLogger(__name__)

ENVIRONMENT = "KUBECONFIG"


class LoadingRules:
    """An explicit file alone, or else the files of `$KUBECONFIG`, or else `~/.kube/config`."""

    def __init__(self, explicit_path: str = "", *, environ: Mapping[str, str] | None = None) -> None:
        self.explicit_path = explicit_path
        environ = os.environ if environ is None else environ
        listed = [path for path in environ.get(ENVIRONMENT, "").split(os.pathsep) if path]
        self._from_environment = bool(listed)
        home = environ.get("HOME") or os.path.expanduser("~")
        self.precedence = list(dict.fromkeys(listed)) or [os.path.join(home, ".kube", "config")]

    def files(self) -> list[str]:
        """The files that are looked at, the most important first."""
        return [self.explicit_path] if self.explicit_path else list(self.precedence)

    def load(self) -> KubeConfig:
        """Read and merge. Raises LoadError with every file that cannot be read, or the explicit one is missing."""
        configs: list[KubeConfig] = []
        problems: list[str] = []
        missing: list[str] = []
        for path in self.files():
            try:
                configs.append(resolve_paths(load_from_file(path), path))
            except FileNotFoundError:
                missing.append(path)
            except LoadError as err:
                problems += err.problems
        if self.explicit_path and missing:
            problems.append(f'kubeconfig file "{self.explicit_path}": no such file')
        if problems:
            raise LoadError(problems)
        if not configs and self._from_environment:
            log.warning("no file of $%s exists: %s", ENVIRONMENT, ", ".join(missing))
        return merge(configs)


def merge(configs: Sequence[KubeConfig]) -> KubeConfig:
    """Merge, the first being the most important: entries by name and whole, scalars where not empty."""
    merged = KubeConfig()
    for config in configs:
        for name in ("clusters", "users", "contexts", "extensions", "preferences"):
            setattr(merged, name, {**getattr(config, name), **getattr(merged, name)})
        merged.current_context = merged.current_context or config.current_context
    return merged


def resolve_paths(config: KubeConfig, path: str) -> KubeConfig:
    """A copy whose relative paths are absolute, seen from the folder of the file they stand in."""
    folder = os.path.dirname(os.path.abspath(path))

    def absolute(name: str) -> str:
        return os.path.normpath(os.path.join(folder, name)) if name else name

    def cluster(entry: Cluster) -> Cluster:
        return replace(entry, certificate_authority=absolute(entry.certificate_authority))

    def user(entry: AuthInfo) -> AuthInfo:
        program = entry.exec
        if program is not None and os.sep in program.command:  # a bare name is looked up in $PATH
            program = replace(program, command=absolute(program.command))
        return replace(
            entry,
            client_certificate=absolute(entry.client_certificate),
            client_key=absolute(entry.client_key),
            token_file=absolute(entry.token_file),
            exec=program,
        )

    return replace(
        config,
        clusters={name: cluster(entry) for name, entry in config.clusters.items()},
        users={name: user(entry) for name, entry in config.users.items()},
    )
