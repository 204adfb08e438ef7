"""`cs.delete(source)`: deletes whatever `source` holds, in the reverse of the order in which it would be applied."""

from __future__ import annotations

import threading
from itertools import groupby
from typing import TYPE_CHECKING

from k8srt.errors import NotFound, StatusError, Stopped
from k8srt.gentype.conditions import Deleted
from k8srt.gentype.waiting import wait_for
from k8srt.kubernetes.manifests.outcomes import ABSENT, DELETED, Outcome, Outcomes
from k8srt.kubernetes.manifests.plan import Plan, Step
from k8srt.kubernetes.manifests.sources import Source, read
from k8srt.util.progress import progress_bar

if TYPE_CHECKING:
    from k8srt.kubernetes.clientset import Clientset


def delete(
    clientset: Clientset,
    source: Source,
    *,
    namespace: str = "",
    ignore_not_found: bool = True,
    propagation_policy: str | None = None,
    wait: bool = False,
    timeout: float | None = 60.0,
    stop: threading.Event | None = None,
    progress: bool = False,
    recursive: bool = False,
) -> Outcomes:
    """Delete all objects of `source`, and tell what became of each. `source` and `namespace` are as for `apply`.

    What belongs to deleted objects goes in the background, as with kubectl, unless `propagation_policy` says otherwise.
    With `wait` it returns when all are gone, `timeout` seconds in all (None: for ever); what depends on others is then
    gone before those are deleted, so that a controller is still there to finish its objects.

    Raises before anything is deleted: DecodeError for what cannot be read, NoMatch for a kind that is not served,
    ValueError for one object given twice. Then NotFound unless `ignore_not_found`, any other StatusError, WaitTimeout
    naming what holds an object back, Stopped.
    """
    if timeout is not None and timeout < 0:
        raise ValueError(f"timeout must not be negative: {timeout}")
    plan = Plan(clientset, read(source, recursive=recursive), namespace)
    deleting = _Deleting(clientset, ignore_not_found, propagation_policy or "Background", timeout, stop)
    bar = progress_bar(len(plan.steps), what="deleting", unit="object") if progress else None
    done: list[Outcome] = []
    try:
        for _, steps in groupby(reversed(plan.steps), key=lambda step: step.rank):
            waiting: list[tuple[Step, str]] = []
            for step in steps:
                outcome, uid = deleting.delete(step, look_first=wait)
                done.append(outcome)
                if uid:
                    waiting.append((step, uid))
                if bar is not None:
                    bar.step(str(outcome))
            for step, uid in waiting:
                deleting.wait(step, uid)
    finally:
        if any(step.is_definition for step in plan.steps):
            clientset.mapper.reset()
        if bar is not None:
            bar.close()
    return Outcomes(done)


class _Deleting:
    """One run. Used by one thread."""

    def __init__(
        self,
        clientset: Clientset,
        ignore_not_found: bool,
        policy: str,
        timeout: float | None,
        stop: threading.Event | None,
    ) -> None:
        self._ignore_not_found = ignore_not_found
        self._policy = policy
        self._stop = stop
        self._clock = clientset.rest_client.clock
        self._end = None if timeout is None else self._clock.now() + timeout

    def delete(self, step: Step, *, look_first: bool) -> tuple[Outcome, str]:
        """Delete one object. Returns also its uid if it was looked for first: another may soon have its name."""
        manifest, client = step.manifest, step.client
        if self._stop is not None and self._stop.is_set():
            raise Stopped(f"stopped before {manifest} was deleted")
        try:
            uid = client.get(manifest.name, stop=self._stop).metadata.uid if look_first else ""
            client.delete(manifest.name, propagation_policy=self._policy, stop=self._stop)
        except NotFound as err:
            if not self._ignore_not_found:
                raise NotFound(err.status, f"{manifest.place}: {manifest}: {err}") from err
            return Outcome(ABSENT, step.object(), manifest), ""
        except StatusError as err:
            raise type(err)(err.status, f"{manifest.place}: {manifest}: {err}") from err
        return Outcome(DELETED, step.object(), manifest), uid or ""

    def wait(self, step: Step, uid: str) -> None:
        left = None if self._end is None else max(self._end - self._clock.now(), 0.0)
        wait_for(step.client, step.manifest.name, Deleted(uid), timeout=left, stop=self._stop)
