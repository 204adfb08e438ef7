"""Which objects a list, a watch or a collection deletion is about, and how its options are checked."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from k8srt.apimachinery import fields, labels
from k8srt.testing.apiserver.failures import (
    Cause,
    bad_request,
    expired,
    forbidden_field,
    invalid_options,
    not_supported,
    plain_500,
    too_large_version,
)
from k8srt.testing.apiserver.messages import Request
from k8srt.testing.apiserver.registry import Resource
from k8srt.testing.apiserver.requests import RequestInfo
from k8srt.testing.apiserver.storage import Compacted, FromTheFuture, Page, Storage, Stored

_ALWAYS = ("metadata.name", "metadata.namespace")
_MATCHES = ("Exact", "NotOlderThan")


@dataclass(frozen=True, slots=True)
class Selection:
    """Objects of one resource by namespace, labels and fields; `matches` is None when all of them are meant."""

    resource: Resource
    namespace: str
    matches: Callable[[Stored], bool] | None


def selection_of(request: Request, info: RequestInfo, resource: Resource) -> Selection:
    """Read labelSelector and fieldSelector. Raises Failure(400)."""
    by_label = _label_test(request.param("labelSelector"))
    by_field = _field_test(request.param("fieldSelector"), resource)
    if info.name:
        # a watch of one object by its path, the old way
        name, test = info.name, by_field
        by_field = lambda stored: stored.name == name and (test is None or test(stored))  # noqa: E731
    if by_label is None or by_field is None:
        return Selection(resource, info.namespace, by_label or by_field)
    first, second = by_label, by_field
    return Selection(resource, info.namespace, lambda stored: first(stored) and second(stored))


def _label_test(text: str) -> Callable[[Stored], bool] | None:
    if not text:
        return None
    try:
        selector = labels.parse(text)
    except ValueError as err:
        raise bad_request(str(err)) from err
    return lambda stored: selector.matches(stored.labels)


def _field_test(text: str, resource: Resource) -> Callable[[Stored], bool] | None:
    if not text:
        return None
    try:
        selector = fields.parse(text)
    except ValueError as err:
        raise bad_request(str(err)) from err
    if selector.empty:
        return None
    for requirement in selector.requirements:
        _check_field(requirement.field, resource)

    def matches(stored: Stored) -> bool:
        known = {**stored.fields, "metadata.name": stored.name, "metadata.namespace": stored.namespace}
        return selector.matches(known)

    return matches


def _check_field(name: str, resource: Resource) -> None:
    extra = resource.strategy.field_names
    if resource.custom is not None:
        if name == "metadata.namespace" and not resource.namespaced:
            raise bad_request(f"field label not supported: {name}")
        extra = tuple(path.strip(".") for path in resource.custom.selectable)
    if name in _ALWAYS or name in extra:
        return
    if resource.custom is not None or resource.strategy.own_conversion:
        raise bad_request(f"field label not supported: {name}")
    known = ", ".join(f'"{each}"' for each in _ALWAYS)
    raise bad_request(f'"{name}" is not a known field selector: only {known}')


# ---- options


@dataclass(frozen=True, slots=True)
class ListOptions:
    """How a list is to be made; `revision` 0 means now. `after` is the key the last page ended with."""

    limit: int
    after: str
    revision: int
    exact: bool


def list_options(request: Request) -> ListOptions:
    """Read and check the options of a list. Raises Failure(400) and Failure(422)."""
    _check_list(request)
    limit = max(0, number_param(request, "limit"))
    token = request.param("continue")
    asked = request.param("resourceVersion")
    if token:
        if asked and asked != "0":
            raise bad_request("specifying resource version is not allowed when using continue")
        after, revision = read_token(token)
        return ListOptions(limit, after, revision, exact=True)
    revision = version_number(asked)
    exact = request.param("resourceVersionMatch") == "Exact" or bool(
        limit and revision and not request.param("resourceVersionMatch")
    )
    return ListOptions(limit, "", revision, exact)


def version_number(text: str) -> int:
    if not text:
        return 0
    if not text.isdigit():
        why = f'strconv.ParseUint: parsing "{text}": invalid syntax'
        raise bad_request(f'invalid resource version: resourceVersion: Invalid value: "{text}": {why}')
    return int(text)


def watch_version(request: Request) -> int:
    """The version a watch starts from; what is no number is an internal error, as it is on the real server."""
    text = request.param("resourceVersion")
    if text and not text.isdigit():
        why = f'strconv.ParseUint: parsing "{text}": invalid syntax'
        raise plain_500(f'resourceVersion: Invalid value: "{text}": {why}')
    return int(text or 0)


def number_param(request: Request, name: str) -> int:
    """A whole number of the query, 0 if it is not there. Raises Failure for something else."""
    text = request.param(name)
    if not text:
        return 0
    try:
        return int(text)
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def _check_list(request: Request) -> None:
    number_param(request, "timeoutSeconds")
    match = request.param("resourceVersionMatch")
    version = request.param("resourceVersion")
    causes: list[Cause] = []
    field = "resourceVersionMatch"
    if match:
        if not version:
            causes.append(forbidden_field(field, f"{field} is forbidden unless resourceVersion is provided"))
        if request.param("continue"):
            causes.append(forbidden_field(field, f"{field} is forbidden when continue is provided"))
        if match not in _MATCHES:
            causes.append(not_supported(field, match, (*_MATCHES, "")))
        if match == "Exact" and version == "0":
            causes.append(forbidden_field(field, f'{field} "exact" is forbidden for resourceVersion "0"'))
    if "sendInitialEvents" in request.query:
        causes.append(forbidden_field("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    if causes:
        raise invalid_options("ListOptions", causes)


def check_watch(request: Request) -> None:
    """Check the options of a watch. Raises Failure(422)."""
    match = request.param("resourceVersionMatch")
    field = "resourceVersionMatch"
    causes: list[Cause] = []
    initial = "sendInitialEvents" in request.query
    if initial and match != "NotOlderThan":
        causes.append(forbidden_field(field, f"sendInitialEvents requires setting {field} to NotOlderThan"))
    if match:
        if not initial:
            causes.append(
                forbidden_field(field, f"{field} is forbidden for watch unless sendInitialEvents is provided")
            )
        if match != "NotOlderThan":
            causes.append(not_supported(field, match, ("NotOlderThan",)))
    from_now = request.param("resourceVersion") in ("", "0")  # then a server asks for the initial events itself
    if request.param("continue") and (match or (from_now and not initial)):
        causes.append(forbidden_field(field, f"{field} is forbidden when continue is provided"))
    if causes:
        raise invalid_options("ListOptions", causes)


# ---- pages

_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list "
    "without the continue parameter, or use the continue token in this response to retrieve the remainder of the "
    "results. Continuing with the provided token results in an inconsistent list - objects that were created, "
    "modified, or deleted between the time the first chunk was returned and now may show up in the list."
)


_TOKEN_VERSION = "meta.k8s.io/v1"


def make_token(revision: int, last_key: str) -> str:
    data = msgspec.json.encode({"v": _TOKEN_VERSION, "rv": revision, "start": f"{last_key}\0"})
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def read_token(token: str) -> tuple[str, int]:
    """The last key and the version of the list; -1 asks for the present. Raises Failure(400)."""
    try:
        data: Any = msgspec.json.decode(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        version, start, revision = data["v"], data["start"], int(data["rv"])
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as err:
        raise bad_request(f"invalid continue token: continue key is not valid: {err}") from err
    why = ""
    if version != _TOKEN_VERSION:
        why = f"server does not recognize this encoded version {version}"
    elif revision == 0:
        why = "incorrect encoded start resourceVersion (version meta.k8s.io/v1)"
    if why:
        raise bad_request(f"invalid continue token: continue key is not valid: {why}")
    return str(start).rstrip("\0"), revision


def find_page(storage: Storage, chosen: Selection, options: ListOptions) -> Page:
    """The objects a list answers. Raises Failure: 410 for an old version, 504 for one from the future."""
    revision = max(0, options.revision) if options.exact else 0
    try:
        page = storage.page(
            chosen.resource.table,
            chosen.namespace,
            matches=chosen.matches,
            after=options.after,
            limit=options.limit,
            revision=revision,
        )
    except Compacted as err:
        raise _too_old(options, err) from None
    except FromTheFuture as err:
        asked_for = options.revision and not options.after
        raise too_large_version(revision, err.current, later=not asked_for) from None
    if options.revision > page.revision:
        raise too_large_version(options.revision, page.revision)
    return page


def _too_old(options: ListOptions, err: Compacted) -> Exception:
    if not options.after:
        return expired("The resourceVersion for the provided list is too old.")
    failed = expired(_TOO_OLD)
    failed.status["metadata"] = {"continue": make_token(-1, options.after)}
    return failed
