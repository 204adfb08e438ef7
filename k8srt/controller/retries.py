"""What is known of failures, key by key: how often, since when, with what, and whether to go on.

    attempt:  0         1         2         3 …
              fails     fails     fails     gives up (max_attempts=3)

A success forgets all of it. What was given up is tried once whenever something new comes for it.

Contract: REC-17, RTY-02 to RTY-05, LOG-06.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from k8srt.controller.request import Request, is_terminal
from k8srt.errors import Conflict
from k8srt.util.clock import Clock

Types = type[BaseException] | tuple[type[BaseException], ...]


@dataclass(frozen=True, slots=True)
class Retry:
    """What went before a reconcile: `attempt` failures in a row, the first at `first_failure` (wall time), the last
    with `last_error`."""

    attempt: int = 0
    first_failure: datetime | None = None
    last_error: BaseException | None = None


FRESH = Retry()


class Verdict(Enum):
    """What becomes of a key that failed."""

    BACKOFF = "backoff"
    AT_ONCE = "at once"  # somebody else was faster, which is normal
    TERMINAL = "terminal"
    GIVEN_UP = "given up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When failures are not retried any more.

    `max_attempts`: after so many in a row. `give_up_after`: so many seconds after the first. `terminal_on`: errors
    of these types are never retried; `retry_on`: only errors of these types, and conflicts, are.
    """

    max_attempts: int | None = None
    give_up_after: float | None = None
    retry_on: Types | None = None
    terminal_on: Types = ()

    def __post_init__(self) -> None:
        if self.max_attempts is not None and self.max_attempts < 1:
            raise ValueError(f"max_attempts: at least one attempt is made, not {self.max_attempts}")
        if self.give_up_after is not None and self.give_up_after < 0.0:
            raise ValueError(f"give_up_after: must be 0 or more seconds, not {self.give_up_after!r}")
        for name in ("retry_on", "terminal_on"):
            types = getattr(self, name)
            for each in types if isinstance(types, tuple) else (types,) if types is not None else ():
                if not (isinstance(each, type) and issubclass(each, BaseException)):
                    raise TypeError(f"{name}: expected types of exceptions, got {each!r}")

    def forbids(self, err: BaseException) -> bool:
        """Whether an error is not to be retried, however often it came."""
        if is_terminal(err) or isinstance(err, self.terminal_on):
            return True
        return self.retry_on is not None and not isinstance(err, (Conflict, *_tuple(self.retry_on)))


def _tuple(types: Types) -> tuple[type[BaseException], ...]:
    return types if isinstance(types, tuple) else (types,)


@dataclass(slots=True)
class _Book:
    """The failures of one key."""

    first: float
    retry: Retry
    given_up: bool = False
    incidents: int = 0  # failures that anybody should hear of
    same: int = 0  # of them, how many in a row were the same
    signature: tuple[type, str] | None = None
    posted: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """What is to be done about one failure.

    `same` is how often it has come in a row. `in_full` and `counted`: whether the log is to have all of it, or a line
    with the count. `post`: whether there should be an event.
    """

    verdict: Verdict
    attempt: int
    same: int = 1
    in_full: bool = True
    counted: bool = False
    post: bool = False


@dataclass
class Retries:
    """The failures of all keys of a controller. Thread-safe."""

    policy: Policy
    clock: Clock
    log_every_failure: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)  # guards _books
    _books: dict[Request, _Book] = field(default_factory=dict)

    def of(self, request: Request) -> Retry:
        """What went before."""
        with self._lock:
            book = self._books.get(request)
            return FRESH if book is None else book.retry

    def failed(self, request: Request, err: BaseException) -> Failure:
        """Note a failure, and say what is to be done about it."""
        now, signature = self.clock.now(), (type(err), str(err))
        forbidden = self.policy.forbids(err)
        gives_up = False
        with self._lock:
            book = self._books.get(request)
            if book is None:
                book = self._books[request] = _Book(now, Retry(first_failure=self.clock.time()))
            attempt = book.retry.attempt
            book.retry = Retry(attempt + 1, book.retry.first_failure, err)
            if forbidden:
                verdict = Verdict.TERMINAL
            elif book.given_up or self._enough(book, now):
                verdict = Verdict.GIVEN_UP
                gives_up, book.given_up = not book.given_up, True
            elif isinstance(err, Conflict) and attempt == 0:
                return Failure(Verdict.AT_ONCE, attempt)
            else:
                verdict = Verdict.BACKOFF
            book.incidents += 1
            book.same = book.same + 1 if book.signature == signature else 1
            book.signature = signature
            post = _is_power_of_two(book.incidents)
            book.posted = book.posted or post
            in_full = self.log_every_failure or book.same == 1
            counted = not in_full and (gives_up or _is_power_of_two(book.same))
            return Failure(verdict, attempt, book.same, in_full, counted, post)

    def _enough(self, book: _Book, now: float) -> bool:
        policy = self.policy
        if policy.max_attempts is not None and book.retry.attempt >= policy.max_attempts:
            return True
        return policy.give_up_after is not None and now - book.first >= policy.give_up_after

    def asked_again(self, request: Request) -> None:
        """Note that a reconcile that did not fail wants the growing delay all the same."""
        with self._lock:
            book = self._books.get(request)
            if book is None:
                book = self._books[request] = _Book(self.clock.now(), FRESH)
            retry = book.retry
            book.retry = Retry(retry.attempt + 1, retry.first_failure, retry.last_error)

    def forget(self, request: Request) -> bool:
        """Note a success. Returns whether an event told of a failure before."""
        with self._lock:
            book = self._books.pop(request, None) if self._books else None
            return book is not None and book.posted

    def __len__(self) -> int:
        with self._lock:
            return len(self._books)


def _is_power_of_two(number: int) -> bool:
    return number & (number - 1) == 0
