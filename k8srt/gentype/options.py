"""The keywords of each verb, and the query parameters they become.

Every option may be left out. A selector may be text, a dict, or a selector object. Names follow the API in
snake_case. Contract: MACH-46, CLI-02.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, TypedDict

from k8srt.apimachinery.fields import FieldSelector, as_field_selector
from k8srt.apimachinery.labels import as_selector
from k8srt.apimachinery.meta import DeleteOptions, Preconditions

PatchType = Literal["json", "merge", "strategic", "apply"]
PropagationPolicy = Literal["Orphan", "Background", "Foreground"]


class CallOptions(TypedDict, total=False):
    """How a call is made.

    `stop` ends the call when set (at once if it is a `util.threads.Stop`); `timeout` bounds it, in seconds.
    """

    stop: threading.Event | None
    timeout: float | None


class GetOptions(CallOptions, total=False):
    resource_version: str


class ListOptions(CallOptions, total=False):
    """`limit` and `continue_` page; `timeout_seconds` is also told to the server."""

    label_selector: Any
    field_selector: str | Mapping[str, str] | FieldSelector | None
    limit: int | None
    continue_: str
    resource_version: str
    resource_version_match: str
    timeout_seconds: int | None


class WatchOptions(TypedDict, total=False):
    """`idle_timeout` (seconds) ends a watch that hears nothing; `timeout_seconds` is when the server ends it."""

    stop: threading.Event | None
    idle_timeout: float | None
    label_selector: Any
    field_selector: str | Mapping[str, str] | FieldSelector | None
    resource_version: str
    resource_version_match: str
    timeout_seconds: int | None
    allow_watch_bookmarks: bool
    send_initial_events: bool


class ApplyOptions(CallOptions, total=False):
    """`dry_run` has the server check and default the object without keeping it."""

    dry_run: bool
    field_validation: str


class WriteOptions(ApplyOptions, total=False):
    field_manager: str


class DeleteArguments(CallOptions, total=False):
    """What a deletion may be told. `preconditions` names a uid or resource version the object must have."""

    dry_run: bool
    grace_period_seconds: int | None
    propagation_policy: PropagationPolicy | str
    preconditions: Mapping[str, str] | Preconditions | None


class SelectOptions(TypedDict, total=False):
    label_selector: Any
    field_selector: str | Mapping[str, str] | FieldSelector | None


class DeleteCollectionArguments(DeleteArguments, SelectOptions, total=False):
    """What a deletion of many may be told; without a selector it means all of them."""


_LOCAL = frozenset({"stop", "timeout", "idle_timeout"})


def check(verb: str, given: Mapping[str, Any], known: type) -> None:
    """Raise TypeError for a keyword the verb does not have, as Python does."""
    if not given or given.keys() <= (names := _names(known)):
        return
    name = next(name for name in given if name not in names)
    takes = ", ".join(sorted(names))
    raise TypeError(f"{verb}() got an unexpected keyword argument {name!r}; it takes {takes}")


@cache
def _names(known: type) -> frozenset[str]:
    return frozenset(known.__annotations__)


def parameters(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options that go into the query. Raises SelectorError for a selector that makes no sense."""
    sent = {name: value for name, value in given.items() if name not in _LOCAL and value is not None}
    if "label_selector" in sent:
        sent["label_selector"] = label_text(sent["label_selector"])
    if "field_selector" in sent:
        sent["field_selector"] = str(as_field_selector(sent["field_selector"]))
    if "dry_run" in sent:
        sent["dry_run"] = "All" if sent["dry_run"] else None
    if sent.get("send_initial_events") is False:
        sent["send_initial_events"] = "false"  # not the same as leaving it out
    return sent


def label_text(value: Any) -> str:
    """A selector as it goes into a query: text is sent as it is, so that the server judges it."""
    if isinstance(value, str):
        return value
    selector = as_selector(value)
    if not selector.matchable:
        raise ValueError("a selector that matches nothing cannot be sent to a server")
    return str(selector)


def delete_body(given: Mapping[str, Any]) -> DeleteOptions:
    """The body of a deletion."""
    preconditions: Any = given.get("preconditions")
    if isinstance(preconditions, Mapping):
        preconditions = Preconditions(**preconditions)
    return DeleteOptions(
        api_version="v1",
        kind="DeleteOptions",
        dry_run=["All"] if given.get("dry_run") else None,  # type: ignore[arg-type]
        grace_period_seconds=given.get("grace_period_seconds"),  # type: ignore[arg-type]
        propagation_policy=given.get("propagation_policy"),  # type: ignore[arg-type]
        preconditions=preconditions,
    )
