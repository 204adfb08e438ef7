"""What goes wrong with patches."""

from __future__ import annotations

from k8srt.errors import K8srtError


class PatchError(K8srtError, ValueError):
    """A patch cannot be applied or made.

    `code` is the HTTP status with which a server refuses it: 400 for a patch that is malformed, 413 for one too
    big, 422 for one that does not fit the document, 500 where a real server has no better answer either.
    """

    def __init__(self, message: str, code: int = 422) -> None:
        super().__init__(message)
        self.code = code


class PatchConflict(PatchError):
    """A patch would change what somebody else changed too, or what a precondition protects. Contract: MACH-43."""

    def __init__(self, message: str) -> None:
        super().__init__(message, 409)
