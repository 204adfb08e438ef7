"""Trying again. Each name is loaded when first touched."""

from typing import TYPE_CHECKING

from k8srt._lazy import lazy_exports

if TYPE_CHECKING:
    from k8srt.util.retry.retry import DEFAULT_BACKOFF as DEFAULT_BACKOFF
    from k8srt.util.retry.retry import DEFAULT_RETRY as DEFAULT_RETRY
    from k8srt.util.retry.retry import on_conflict as on_conflict
    from k8srt.util.retry.retry import on_error as on_error

__getattr__, __dir__ = lazy_exports(
    __name__,
    dict.fromkeys(["DEFAULT_BACKOFF", "DEFAULT_RETRY", "on_conflict", "on_error"], "k8srt.util.retry.retry"),
)
