"""A whole list, page by page. Contract: REFL-17, REFL-18."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import NamedTuple

from k8srt.apimachinery.record import RecordList
from k8srt.tools.cache.listwatch import ListerWatcher, ListOptions
from k8srt.tools.cache.verdicts import is_expired

DEFAULT_PAGE_SIZE = 500


class Paged(NamedTuple):
    """A whole list, and whether the server gave it in more than one page."""

    list: RecordList
    paginated: bool


def page_size_for(version: str, *, configured: int, paginated_before: bool) -> int:
    """How many items to ask for at once; 0 is no limit.

    A limit beside a specific version would take the request past the server's watch cache.
    """
    if configured:
        return configured
    if paginated_before or version in ("", "0"):
        return DEFAULT_PAGE_SIZE
    return 0


def list_all(source: ListerWatcher, options: ListOptions, stop: threading.Event) -> Paged:
    """List with `options.limit` items a page. Raises what the source raises.

    When a continue token has expired, the whole list is asked for once, without a limit.
    """
    first = source.list(replace(options), stop)
    token = first.metadata.continue_
    if not token:
        return Paged(first, False)
    records = list(first.records)
    while token:
        try:
            # No version beside a token: the server would refuse it.
            page = source.list(replace(options, continue_=token, resource_version="", resource_version_match=""), stop)
        except Exception as err:
            if not is_expired(err):
                raise
            return Paged(source.list(replace(options, limit=0), stop), True)
        records += page.records
        token = page.metadata.continue_
    return Paged(first._replace(records=records), True)
