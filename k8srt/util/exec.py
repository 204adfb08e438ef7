"""How a command that was run elsewhere ended. Contract: CLI-57."""

from __future__ import annotations

from typing import Any

from k8srt.errors import K8srtError


class CodeExitError(K8srtError):
    """A command ended with an exit code other than 0.

    `code` is that code, `error` what was said about it.
    """

    def __init__(self, code: int, error: BaseException | str = "") -> None:
        super().__init__(str(error) or f"command terminated with exit code {code}")
        self.code = code
        self.error = error
        if isinstance(error, BaseException):
            self.__cause__ = error

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.code, self.error)
