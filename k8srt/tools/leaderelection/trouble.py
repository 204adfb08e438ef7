"""One log line when a lock cannot be reached, one when it can be again."""

from __future__ import annotations

import logging

from k8srt.util.clock import Clock

log = logging.getLogger(__name__)


class Trouble:
    """The outages of one lock. Used by one thread at a time."""

    def __init__(self, about: str, clock: Clock) -> None:
        self._about = about
        self._clock = clock
        self._since: float | None = None
        self._said = ""

    def report(self, doing: str, err: BaseException) -> None:
        """A call failed: a warning, unless the last one failed just so."""
        text = f"{doing} failed: {err}"
        level = logging.DEBUG if text == self._said else logging.WARNING
        self._said = text
        if self._since is None:
            self._since = self._clock.now()
        log.log(level, "%s: %s; trying again", self._about, text)

    def over(self) -> None:
        """A call succeeded: say for how long none did."""
        if self._since is not None:
            log.info("%s: works again after %.1fs", self._about, self._clock.now() - self._since)
            self._since, self._said = None, ""
