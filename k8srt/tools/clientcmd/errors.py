"""What can be wrong with a kubeconfig. All are `errors.ConfigError`. Contract: KCFG-22, KCFG-27, KCFG-37."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from k8srt.errors import ConfigError

if TYPE_CHECKING:
    from k8srt.tools.clientcmd.model import KubeConfig

NO_CONFIGURATION = "no configuration has been provided, try setting KUBERNETES_MASTER environment variable"


class InvalidConfig(ConfigError):
    """Something in the configuration makes no sense; `problems` has each by itself."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(f"invalid configuration: {'; '.join(problems)}")
        self.problems = tuple(problems)


class EmptyConfig(InvalidConfig):
    """There is no configuration at all, or none of it is chosen; `hint` says what there would be."""

    def __init__(self, hint: str = "") -> None:
        super().__init__([f"{NO_CONFIGURATION} ({hint})" if hint else NO_CONFIGURATION])
        self.hint = hint


class ContextNotFound(InvalidConfig):
    """The context asked for is in none of the files."""


class LoadError(ConfigError):
    """One or more files cannot be read as a kubeconfig; `problems` has each by itself.

    `rest` is what the other files say, merged, when there were several.
    """

    def __init__(self, problems: Sequence[str], rest: KubeConfig | None = None) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)
        self.rest = rest


class ConfigFileNotFound(LoadError, FileNotFoundError):
    """A kubeconfig file that was named is not there."""

    def __init__(self, path: str) -> None:
        super().__init__([f'kubeconfig file "{path}": no such file'])
        self.path = path


class ConfigLocked(ConfigError):
    """Somebody else is writing these files, or was killed while writing: `lock` is in the way."""

    def __init__(self, path: str, lock: str) -> None:
        super().__init__(f'kubeconfig file "{path}" is locked: {lock} exists; remove it if nobody is writing')
        self.path = path
        self.lock = lock


def is_configuration_invalid(err: BaseException | None) -> bool:
    """Whether a configuration makes no sense, also inside of groups and as a cause."""
    return any(isinstance(each, InvalidConfig) for each in _all(err))


def is_empty_config(err: BaseException | None) -> bool:
    """Whether there is no configuration at all, also inside of groups and as a cause."""
    return any(isinstance(each, EmptyConfig) for each in _all(err))


def is_context_not_found(err: BaseException | None) -> bool:
    """Whether a context does not exist, also inside of groups and as a cause."""
    return any(isinstance(each, ContextNotFound) for each in _all(err))


def _all(err: BaseException | None) -> Iterator[BaseException]:
    while err is not None:
        yield err
        if isinstance(err, BaseExceptionGroup):
            for each in err.exceptions:
                yield from _all(each)
        err = err.__cause__
