"""What is measured of credential programs. Contract: CLI-59."""

from __future__ import annotations

import threading
import weakref
from datetime import datetime

from k8srt.tools import metrics
from k8srt.transport.certificate_dates import validity
from k8srt.transport.tls import ClientCertificate

NO_ERROR, FAILED, NOT_FOUND, NOT_RUN = (
    *("no_error", "plugin_execution_error"),
    *("plugin_not_found_error", "client_internal_error"),
)


def called(exit_code: int, status: str) -> None:
    """A program was run, or should have been: then the exit code is 1."""
    metrics.report("exec_plugin_call", exit_code, status)


class Expiries:
    """When the certificates of all programs end. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards _ends
        self._ends: weakref.WeakKeyDictionary[object, datetime] = weakref.WeakKeyDictionary()

    def renewed(
        self, owner: object, old: ClientCertificate | None, new: ClientCertificate | None, now: datetime
    ) -> None:
        """The certificate that `owner` gives is another one; reports what that changes."""
        if old == new or not metrics.is_set():
            return
        if old is not None and (dates := validity(old.certificate)) is not None:
            metrics.report("cert_rotation_age", (now - dates.begins).total_seconds())
        dates = None if new is None else validity(new.certificate)
        with self._lock:
            if dates is None:
                self._ends.pop(owner, None)
            else:
                self._ends[owner] = dates.ends
            first = min(self._ends.values(), default=None)
        metrics.report("cert_expiry", first)


EXPIRIES = Expiries()
