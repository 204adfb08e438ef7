"""What the API says about a class."""

from __future__ import annotations

from typing import Any

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.resource import ResourceInfo


def info_of(kind: Any) -> ResourceInfo:
    """The facts of a class that stands for a resource. Raises ValueError for anything else."""
    info = kind.__info__ if isinstance(kind, type) and issubclass(kind, Object) else None
    if info is None or not info.resource:
        raise ValueError(f"{getattr(kind, '__name__', kind)!r} is not the class of a resource")
    return info
