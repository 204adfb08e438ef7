"""Watches that retry, and waiting on watches. Each name is loaded when first touched.

| client-go | here |
| --- | --- |
| `NewRetryWatcher(rv, w)` | `RetryWatcher(source, rv)` |
| `Until(ctx, rv, w, conditions...)` | `until(source, rv, *conditions, stop=, timeout=)` |
| `UntilWithoutRetry(ctx, watcher, conditions...)` | `until_without_retry(events, *conditions, stop=, timeout=)` |
| `UntilWithSync(ctx, lw, objType, precondition, conditions...)` | `until_with_sync(source, *conditions, …)` |
| `ListWatchUntil(ctx, lw, conditions...)` | `list_watch_until(source, *conditions)` |
| `ErrWatchClosed` | `WatchClosed` |

Where one object is waited for, `client.wait(name, condition)` is simpler; for all changes of a collection,
`client.watch(forever=True)`.
"""

from typing import TYPE_CHECKING

from k8srt._lazy import lazy_exports

if TYPE_CHECKING:
    from k8srt.tools.watch.conditions import WatchClosed as WatchClosed
    from k8srt.tools.watch.conditions import list_watch_until as list_watch_until
    from k8srt.tools.watch.conditions import until as until
    from k8srt.tools.watch.conditions import until_with_sync as until_with_sync
    from k8srt.tools.watch.conditions import until_without_retry as until_without_retry
    from k8srt.tools.watch.retry import RetryWatcher as RetryWatcher

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "RetryWatcher": "k8srt.tools.watch.retry",
        "WatchClosed": "k8srt.tools.watch.conditions",
        "list_watch_until": "k8srt.tools.watch.conditions",
        "until": "k8srt.tools.watch.conditions",
        "until_with_sync": "k8srt.tools.watch.conditions",
        "until_without_retry": "k8srt.tools.watch.conditions",
    },
)
