"""What can be wrong with a kubeconfig. All are `errors.ConfigError`. Contract: KCFG-22, KCFG-27."""

from __future__ import annotations

from collections.abc import Sequence

from k8srt.errors import ConfigError


class InvalidConfig(ConfigError):
    """Something in the configuration makes no sense; `problems` has each by itself."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(f"invalid configuration: {'; '.join(problems)}")
        self.problems = tuple(problems)


class EmptyConfig(InvalidConfig):
    """There is no configuration at all."""

    def __init__(self) -> None:
        super().__init__(["no configuration has been provided, try setting KUBERNETES_MASTER environment variable"])


class ContextNotFound(InvalidConfig):
    """The context asked for is in none of the files."""


class LoadError(ConfigError):
    """One or more files cannot be read as a kubeconfig; `problems` has each by itself."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


def is_configuration_invalid(err: BaseException | None) -> bool:
    return isinstance(err, InvalidConfig)


def is_empty_config(err: BaseException | None) -> bool:
    return isinstance(err, EmptyConfig)


def is_context_not_found(err: BaseException | None) -> bool:
    return isinstance(err, ContextNotFound)
