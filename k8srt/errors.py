"""Every exception k8srt raises on purpose.

    K8srtError
    ├── ConfigError            a kubeconfig or a client setting is wrong: which file, entry, field
    │   └── CredentialsError       the program or provider that should give credentials gives none: why
    ├── DecodeError            bytes that are not what they should be (also a ValueError)
    │   └── WrongValue             values in an object that their fields do not take: where, and which
    ├── TransportError         no answer came: which URL, and why
    │   ├── ClientClosed
    │   ├── ConnectionRefused
    │   ├── HostNotFound
    │   ├── ProxyFailed
    │   ├── TLSFailed
    │   └── TimeoutExpired     (also a TimeoutError)
    ├── WatchError             a watch could not go on
    ├── CacheKeyError          an object has no key in a store
    ├── QueueClosed            a queue was closed and is empty
    ├── WaitTimeout            a condition did not come true in time (also a TimeoutError)
    ├── Stopped                a stop signal ended a wait
    ├── NotStarted, AlreadyStarted
    ├── NoMetadata, TransformError, TransactionError, IndexFuncError, NoSuchIndex, NotInHeap
    │                          of stores; defined, like the next, where they are raised: in tools.cache
    ├── InformerStopped, ListError
    ├── NotLeaderError, LeaseNotRenewed    of leader election; defined in tools.leaderelection
    ├── DiscoveryError         what the server serves could not be found out
    │   ├── GroupDiscoveryFailed   of some groups; it carries what was found of the others
    │   └── GroupVersionError      of one: StaleGroupVersion, EmptyGroupVersion, UnknownGroupVersion
    ├── MappingError           a kind or resource cannot be told by what was said of it
    │   ├── NoMatch                the server serves none: NoKindMatch, NoResourceMatch
    │   └── AmbiguousMatch         it serves several: AmbiguousKind, AmbiguousResource
    ├── Aggregate              several errors as one (also an ExceptionGroup)
    └── StatusError            the server answered with a failure
        ├── BadRequest (400)        ├── Gone (410)
        ├── Unauthorized (401)      │   └── Expired
        ├── Forbidden (403)         ├── RequestEntityTooLarge (413)
        ├── NotFound (404)          ├── UnsupportedMediaType (415)
        │   └── NotServed           ├── Invalid (422)
        ├── MethodNotSupported (405)├── TooManyRequests (429)
        ├── NotAcceptable (406)     ├── InternalError (500)
        ├── Conflict (409)          ├── ServiceUnavailable (503)
        ├── AlreadyExists (409)     ├── Timeout (504)
        ├── ServerTimeout (500)     └── UnknownStatus (anything else)
        └── StoreReadError (500)

A message says what was being done, to what, and why it failed; it never carries a token, a header or the body
of a secret. Causes are chained, so `raise … from` keeps the whole story.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Protocol


class K8srtError(Exception):
    """The root: `except K8srtError` catches whatever the library raises on purpose."""


class ConfigError(K8srtError):
    """A configuration cannot be used; the message names the file, the entry and the field."""


class CredentialsError(ConfigError):
    """The program or the provider that should give credentials gives none; the message says which, and why.

    `exit_code` is that of the program, if it ran and failed.
    """

    def __init__(self, message: str, *, exit_code: int | None = None) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class DecodeError(K8srtError, ValueError):
    """Bytes or values do not have the form they should have; the message says where."""


class WrongValue(DecodeError):
    """An object holds values that its fields do not take; the message names each place and value.

    `paths` are the places, in the names that JSON has: `spec.containers[0].ports[0].containerPort`.
    """

    def __init__(self, message: str, paths: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.paths = tuple(paths)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.args[0], self.paths)


class TransportError(K8srtError):
    """A request got no usable answer from the network."""

    def __init__(self, message: str, *, url: str = "") -> None:
        super().__init__(message)
        self.url = url


class ClientClosed(TransportError):
    """The client was closed, so it sends nothing any more."""


class ConnectionRefused(TransportError):
    """Nothing listens at the address."""


class HostNotFound(TransportError):
    """The name of the server, or of the proxy on the way to it, stands for no address."""


class ProxyFailed(TransportError):
    """The proxy cannot be reached, or does not lead to the server."""


class TLSFailed(TransportError):
    """No secure connection: one side does not trust the other's certificate, or does not speak TLS."""


class TimeoutExpired(TransportError, TimeoutError):
    """The peer was silent for longer than allowed."""


class WatchError(K8srtError):
    """A watch could not be opened or could not go on."""


class CacheKeyError(K8srtError):
    """No key can be computed for `obj`. The reason is the `__cause__`. Contract: CACHE-03."""

    def __init__(self, obj: object, cause: BaseException | None = None) -> None:
        super().__init__(f"couldn't create key for object {obj!r}: {cause}")
        self.obj = obj
        self.__cause__ = cause


class QueueClosed(K8srtError):
    """A queue was closed and everything in it has been delivered."""


class WaitTimeout(K8srtError, TimeoutError):
    """Something awaited did not happen in time."""


class Stopped(K8srtError):
    """A stop signal ended a wait before what was awaited happened."""


class NotStarted(K8srtError):
    """Something must be started before this can be asked of it."""


class AlreadyStarted(K8srtError):
    """Something can only be set before the start, or started once."""


class DiscoveryError(K8srtError):
    """What the server serves could not be found out."""


class GroupDiscoveryFailed(DiscoveryError):
    """Some groups could not be asked for what they serve; the others could.

    `groups` maps each group-version that failed to its error. `partial` is what was found, in the form that the call
    would have returned it. Contract: CLI-21.
    """

    def __init__(self, groups: Mapping[Any, Exception], partial: Any = None) -> None:
        texts = sorted(f"{version}: {error}" for version, error in groups.items())
        super().__init__(f"unable to retrieve the complete list of server APIs: {', '.join(texts)}")
        self.groups = dict(groups)
        self.partial = partial

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.groups, self.partial)


class GroupVersionError(DiscoveryError):
    """What one group-version serves could not be found out."""

    said: ClassVar[str] = "cannot discover"

    def __init__(self, group_version: Any) -> None:
        super().__init__(f"{self.said} {group_version}")
        self.group_version = group_version

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.group_version,)


class StaleGroupVersion(GroupVersionError):
    """The server knows of a group-version, but has lost touch with whoever serves it."""

    said = "stale GroupVersion discovery:"


class EmptyGroupVersion(GroupVersionError):
    """A group-version is served with nothing in it. Contract: CLI-25."""

    said = "received empty response for:"


class UnknownGroupVersion(GroupVersionError):
    """A cache knows nothing of a group-version: the server did not serve it when it was filled."""

    said = "the server does not serve"


class MappingError(K8srtError):
    """A kind or resource cannot be told by what was said of it. `asked` is what was said. Contract: MACH-34."""

    def __init__(self, message: str, asked: Any = None) -> None:
        super().__init__(message)
        self.asked = asked

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.args[0], self.asked)


class NoMatch(MappingError):
    """The server serves nothing of the name."""


class NoKindMatch(NoMatch):
    """The server serves no such kind, or not in the versions asked for."""


class NoResourceMatch(NoMatch):
    """The server serves no such resource."""


class AmbiguousMatch(MappingError):
    """Several kinds or resources fit and none comes first. `matches` are those that fit."""

    def __init__(self, message: str, asked: Any = None, matches: Sequence[Any] = ()) -> None:
        super().__init__(message, asked)
        self.matches = tuple(matches)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.args[0], self.asked, self.matches)


class AmbiguousKind(AmbiguousMatch):
    """Several kinds fit."""


class AmbiguousResource(AmbiguousMatch):
    """Several resources fit."""


class StatusLike(Protocol):
    """What a `StatusError` needs of a `metav1.Status`: attributes, any of which may be None."""

    @property
    def message(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def code(self) -> int: ...
    @property
    def details(self) -> Any: ...


class StatusError(K8srtError):
    """The server answered with a failure. `status` is the whole `metav1.Status`, as it came.

    Attributes: `status`, `code` (HTTP), `reason`, `message`, `details`, `causes`, `retry_after` (seconds, or
    None). Contract: MACH-25 to MACH-30.
    """

    reasons: ClassVar[tuple[str, ...]] = ()
    codes: ClassVar[tuple[int, ...]] = ()

    def __init__(self, status: StatusLike, message: str | None = None) -> None:
        super().__init__(message or status.message or f"the server answered {status.code or '?'}")
        self.status = status

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.status, self.args[0])

    @property
    def message(self) -> str:
        return self.status.message or str(self)

    @property
    def reason(self) -> str:
        return self.status.reason or ""

    @property
    def code(self) -> int:
        return self.status.code or 0

    @property
    def details(self) -> Any:
        return self.status.details

    @property
    def causes(self) -> Sequence[Any]:
        details = self.status.details
        return (details.causes or ()) if details is not None else ()

    @property
    def retry_after(self) -> float | None:
        """The delay the server asks for, in seconds; None if it asks for none. Contract: MACH-28."""
        details = self.status.details
        seconds = (details.retry_after_seconds or 0) if details is not None else 0
        return float(seconds) if seconds > 0 else None

    def has_cause(self, cause_type: str) -> bool:
        """Whether the details name a cause of this type (its `reason` on the wire). Contract: MACH-29."""
        return any(cause.reason == cause_type for cause in self.causes)


class BadRequest(StatusError):
    reasons, codes = ("BadRequest",), (400,)


class Unauthorized(StatusError):
    reasons, codes = ("Unauthorized",), (401,)


class Forbidden(StatusError):
    reasons, codes = ("Forbidden",), (403,)


class NotFound(StatusError):
    reasons, codes = ("NotFound",), (404,)


class NotServed(NotFound):
    """No object was looked for: the server does not serve that resource, in that version, at all."""


class MethodNotSupported(StatusError):
    reasons, codes = ("MethodNotAllowed",), (405,)


class NotAcceptable(StatusError):
    reasons, codes = ("NotAcceptable",), (406,)


class Conflict(StatusError):
    """The object changed meanwhile, or belongs to somebody else. AlreadyExists is no Conflict (MACH-27)."""

    reasons, codes = ("Conflict",), (409,)


class AlreadyExists(StatusError):
    reasons = ("AlreadyExists",)


class Gone(StatusError):
    """410: what was asked for is no longer kept."""

    reasons = ("Gone",)
    codes: ClassVar[tuple[int, ...]] = (410,)


class Expired(Gone):
    """410 with reason Expired: a resource version or continue token is too old."""

    reasons = ("Expired",)


class RequestEntityTooLarge(StatusError):
    reasons, codes = ("RequestEntityTooLarge",), (413,)


class UnsupportedMediaType(StatusError):
    reasons, codes = ("UnsupportedMediaType",), (415,)


class Invalid(StatusError):
    reasons, codes = ("Invalid",), (422,)


class TooManyRequests(StatusError):
    reasons, codes = ("TooManyRequests",), (429,)


class InternalError(StatusError):
    reasons, codes = ("InternalError",), (500,)


class ServerTimeout(StatusError):
    """The server asks to try again later; `retry_after` is then a number, possibly 0 (MACH-28)."""

    reasons = ("ServerTimeout",)

    @property
    def retry_after(self) -> float:
        return super().retry_after or 0.0


class StoreReadError(StatusError):
    reasons = ("StorageReadError",)


class ServiceUnavailable(StatusError):
    reasons, codes = ("ServiceUnavailable",), (503,)


class Timeout(StatusError):
    reasons, codes = ("Timeout",), (504,)


class UnknownStatus(StatusError):
    """A failure whose reason and code say nothing more precise."""


UNEXPECTED_RESPONSE = "UnexpectedServerResponse"
"""The type of the cause in an error whose answer was none of the API's: a proxy's page, an unreadable body."""


def is_unexpected_server_error(err: BaseException | None) -> bool:
    """Whether an error, or one it came from, stands for an answer that was none of the API's. Contract: MACH-30."""
    seen = set()
    while err is not None and id(err) not in seen:
        if isinstance(err, StatusError) and err.has_cause(UNEXPECTED_RESPONSE):
            return True
        seen.add(id(err))
        err = err.__cause__
    return False


class Aggregate(K8srtError, ExceptionGroup[Exception]):
    """Several errors as one, made by `aggregate`: an ExceptionGroup, so `except*` takes it apart. Contract: MACH-31."""

    def __str__(self) -> str:
        return str(self.message)

    def derive(self, excs: Sequence[Any], /) -> Any:
        return Aggregate(joined(map(str, excs)), list(excs))

    def contains(self, wanted: type[Exception] | Exception) -> bool:
        """Whether an error of the class, or this very one, is among them."""
        if isinstance(wanted, type):
            return self.subgroup(wanted) is not None
        return self.subgroup(lambda err: err is wanted) is not None


def aggregate(errors: Iterable[Exception | None]) -> Aggregate | None:
    """All errors as one, those of groups among them by themselves; None when there are none."""
    flat = list(_flattened(errors))
    return Aggregate(joined(map(str, flat)), flat) if flat else None


def joined(messages: Iterable[str]) -> str:
    """Messages as one: alone as it is, several in brackets, each once."""
    unique = list(dict.fromkeys(messages))
    return unique[0] if len(unique) == 1 else f"[{', '.join(unique)}]"


def _flattened(errors: Iterable[Exception | None]) -> Iterator[Exception]:
    for err in errors:
        if isinstance(err, ExceptionGroup):
            yield from _flattened(err.exceptions)
        elif err is not None:
            yield err


def _table(attribute: str) -> dict[Any, type[StatusError]]:
    kinds = [*StatusError.__subclasses__(), *Gone.__subclasses__()]
    return {key: kind for kind in kinds for key in vars(kind).get(attribute, ())}


_BY_REASON: dict[str, type[StatusError]] = _table("reasons")
_BY_CODE: dict[int, type[StatusError]] = _table("codes")


def status_error(status: StatusLike, message: str | None = None) -> StatusError:
    """Return the most precise error for `status`: by its reason, and if that is unknown by its code.

    A reason the library does not know leaves the code to decide, as the upstream predicates do (MACH-26);
    for 413 and 429 the code decides whatever the reason (MACH-27).
    """
    code = status.code or 0
    if code in (413, 429):
        return _BY_CODE[code](status, message)
    kind = _BY_REASON.get(status.reason or "") or _BY_CODE.get(code)
    if kind is None:
        kind = InternalError if code >= 500 else UnknownStatus
    return kind(status, message)
