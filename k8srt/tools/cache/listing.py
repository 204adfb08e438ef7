"""The list of a reflector: from which version, in which pages, and what if the server refuses.

Contract: REFL-16 to REFL-23.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from k8srt.errors import K8srtError
from k8srt.tools.cache.course import Course, Phase
from k8srt.tools.cache.listwatch import ListOptions
from k8srt.tools.cache.paging import Paged, list_all, page_size_for
from k8srt.tools.cache.verdicts import is_expired, is_too_large
from k8srt.util.threads import Stop, spawn

log = logging.getLogger(__name__)

R = TypeVar("R")

JOIN_GRACE = 0.05
"""Seconds that a list which was told to stop has before it is left to itself."""


class ListError(K8srtError):
    """A list failed; why is the `__cause__`. Contract: REFL-21."""


class Listing:
    """Lists into the store of a course. Used by the reflector's thread."""

    def __init__(self, course: Course, page_size: int) -> None:
        self._course = course
        self._page_size = page_size
        self._paginated = False  # a list at "0" came in pages: the server has no watch cache for it

    def run(self, stop: Stop) -> bool:
        """List once; False when stopped meanwhile. Raises ListError."""
        course = self._course
        course.enter(Phase.LISTING)
        try:
            listed = in_helper(stop, lambda: self._list_pages(stop))
        except Exception as err:
            if stop.is_set():
                return False
            raise ListError(f"failed to list {course.expected.description}: {err}") from err
        if listed is None:
            return False
        try:
            records, refused = course.expected.taken_from(listed.list)
            for why_not in refused:
                log.error("%s: an item of the list is left out: %s", course.about, why_not)
            course.take_list(records, listed.list.metadata.resource_version or "")
        except Exception as err:
            raise ListError(f"unable to sync list result: {err}") from err
        return True

    def _list_pages(self, stop: Stop) -> Paged:
        position = self._course.position
        version = position.to_list()
        try:
            listed = self._list_at(version, stop)
        except Exception as err:
            if not (is_expired(err) or is_too_large(err)):
                raise
            position.refuse()
            version = position.to_list()
            listed = self._list_at(version, stop)
        self._paginated = self._paginated or (version == "0" and listed.paginated)
        return listed

    def _list_at(self, version: str, stop: Stop) -> Paged:
        size = page_size_for(version, configured=self._page_size, paginated_before=self._paginated)
        return list_all(self._course.source, ListOptions(resource_version=version, limit=size), stop)


def in_helper(stop: Stop, work: Callable[[], R]) -> R | None:
    """The result of `work`, done in a thread of its own; None when stopped, however long it may hang. REFL-16."""
    done = Stop()
    results: list[R] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            results.append(work())
        except Exception as err:  # noqa: BLE001 - it is raised where it was called for
            errors.append(err)
        finally:
            done.set()

    helper = spawn("reflector-list", run)
    unsubscribe = stop.on_set(done.set)
    done.wait()
    unsubscribe()
    helper.join(JOIN_GRACE if stop.is_set() else None)
    if helper.is_alive():
        return None
    if errors:
        raise errors[0]
    return None if stop.is_set() else results[0]
