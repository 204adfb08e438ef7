"""The bar that shows how many caches are full. See `k8srt.util.progress`."""

from __future__ import annotations

from k8srt.util.progress import Bar, Progress, progress_bar

__all__ = ["Bar", "Progress", "progress_bar"]
