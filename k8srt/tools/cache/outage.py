"""One log line when something stops working, one when it works again.

A reflector that cannot reach its server fails every few seconds; its log should not. Contract: REFL-49.
"""

from __future__ import annotations

import logging
import re

from k8srt.tools.cache.verdicts import is_expired
from k8srt.util.clock import Clock

log = logging.getLogger(__name__)

_ANY_TIMEOUT = re.compile(r"timeoutSeconds=\d+")  # each watch asks for another one, which makes it no other failure


class Outage:
    """The default error handler of one reflector. Used by its thread."""

    def __init__(self, about: str, clock: Clock) -> None:
        self._about = about
        self._clock = clock
        self._since: float | None = None
        self._said = ""

    @property
    def last_error(self) -> str | None:
        """What failed last, None while it works. Any thread may ask."""
        return self._said or None

    def report(self, _reflector: object, err: Exception) -> None:
        """Log a failure: expired versions quietly, a repeated failure quietly, anything new as an error."""
        if is_expired(err) or is_expired(err.__cause__):
            log.debug("%s: the resource version has expired: %s", self._about, err)
            return
        text = str(err)
        what = _ANY_TIMEOUT.sub("", text)
        known = what == self._said
        self._said = what
        if self._since is None:
            self._since = self._clock.now()
        log.log(logging.DEBUG if known else logging.ERROR, "%s: %s; trying again", self._about, text)

    def over(self) -> None:
        """It works: say for how long it did not."""
        if self._since is not None:
            log.info("%s: works again after %.1fs", self._about, self._clock.now() - self._since)
            self._since, self._said = None, ""
