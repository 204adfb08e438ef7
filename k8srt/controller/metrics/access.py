"""Who may scrape: the API server is asked who sends a token, and whether they may.

    Manager(config, metrics_address=":8443", metrics_options=MetricsOptions(secure=True, filter_provider=reviewed))

The bearer token of a request goes into a TokenReview; who that is, the path and the method into a SubjectAccessReview.
What the server says is kept for a while. 401 answers who cannot be told, 403 who may not, 500 when the server could not
be asked. The program needs `create` on `tokenreviews` and `subjectaccessreviews`.

Contract: MSV-04.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from cachetools import TTLCache

from k8srt.api.authentication.v1 import TokenReview, TokenReviewSpec
from k8srt.api.authorization.v1 import NonResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec
from k8srt.controller.serving.messages import HTTPRequest, HTTPResponse, text
from k8srt.controller.serving.server import Guard
from k8srt.errors import K8srtError, StatusError, TransportError
from k8srt.kubernetes.clientset import Clientset
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.retry.retry import on_error
from k8srt.util.wait import Backoff

log = logging.getLogger(__name__)

T = TypeVar("T")

CALL_TIMEOUT = 10.0
KNOWN_FOR = 60.0
ALLOWED_FOR = 300.0
DENIED_FOR = 30.0
_MOST = 1024
_BACKOFF = Backoff(initial=0.5, factor=1.5, jitter=0.2, steps=5)


class User(NamedTuple):
    """Who sent a request."""

    name: str
    uid: str
    groups: tuple[str, ...]
    extra: tuple[tuple[str, tuple[str, ...]], ...]


class Reviews:
    """Asks the API server, and remembers. Thread-safe."""

    def __init__(self, clientset: Clientset, *, backoff: Backoff = _BACKOFF, clock: Clock = SYSTEM) -> None:
        self._clientset = clientset
        self._backoff = backoff
        self._clock = clock
        self._lock = threading.Lock()  # guards all below
        self._users: TTLCache[bytes, User | None] = TTLCache(_MOST, KNOWN_FOR, timer=clock.now)
        self._allowed: TTLCache[tuple[User, str, str], bool] = TTLCache(_MOST, ALLOWED_FOR, timer=clock.now)
        self._denied: TTLCache[tuple[User, str, str], bool] = TTLCache(_MOST, DENIED_FOR, timer=clock.now)

    def user_of(self, token: str) -> User | None:
        """Whose token it is, None for nobody's. Raises what the server answers instead."""
        key = hashlib.sha256(token.encode()).digest()
        with self._lock:
            if key in self._users:
                return self._users[key]
        review = TokenReview(spec=TokenReviewSpec(token=token))
        status = self._ask(
            lambda: self._clientset.authentication_v1.token_reviews().create(review, timeout=CALL_TIMEOUT)
        ).status
        found = None
        if status.authenticated:
            extra = tuple(sorted((name, tuple(values)) for name, values in (status.user.extra or {}).items()))
            found = User(status.user.username or "", status.user.uid or "", tuple(status.user.groups or ()), extra)
        with self._lock:
            self._users[key] = found
        return found

    def may(self, user: User, verb: str, path: str) -> bool:
        """Whether somebody may do something to a path. Raises what the server answers instead."""
        key = (user, verb, path)
        with self._lock:
            for kept in (self._allowed, self._denied):
                if key in kept:
                    return kept[key]
        review = SubjectAccessReview(
            spec=SubjectAccessReviewSpec(
                user=user.name,
                uid=user.uid,
                groups=list(user.groups),
                extra={name: list(values) for name, values in user.extra},
                non_resource_attributes=NonResourceAttributes(path=path, verb=verb),
            )
        )
        status = self._ask(
            lambda: self._clientset.authorization_v1.subject_access_reviews().create(review, timeout=CALL_TIMEOUT)
        ).status
        allowed = bool(status.allowed)
        with self._lock:
            (self._allowed if allowed else self._denied)[key] = allowed
        return allowed

    def _ask(self, ask: Callable[[], T]) -> T:
        return on_error(ask, _is_passing, self._backoff, clock=self._clock)

    def check(self, request: HTTPRequest) -> HTTPResponse | None:
        """Refuse a request, or None to let it pass."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            user = self.user_of(token.strip()) if scheme.lower() == "bearer" and token.strip() else None
            if user is None:
                return text(401, "Unauthorized")
            if not self.may(user, request.method.lower(), request.path):
                return text(403, f"Authorization denied for user {user.name}")
        except K8srtError as err:
            log.error("whether %s may be served cannot be found out: %s", request.path, err)
            return text(500, "the request cannot be reviewed")
        return None


def _is_passing(err: Exception) -> bool:
    """Whether it may go better the next time."""
    if isinstance(err, StatusError):
        return err.code >= 500 or err.code == 429
    return isinstance(err, TransportError)


def reviewed(clientset: Clientset) -> Guard:
    """A `filter_provider` that asks the API server about each request."""
    return Reviews(clientset).check
