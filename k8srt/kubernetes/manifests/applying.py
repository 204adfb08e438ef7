"""`cs.apply(source)`: server-side apply of whatever `source` holds, in an order that works.

Everything is read, checked and found on the server before the first object is sent. Contract: USR-23, MACH-45.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.record import Record
from k8srt.errors import Forbidden, K8srtError, NotFound, NotServed, StatusError, Stopped
from k8srt.gentype.conditions import HasCondition, part, told
from k8srt.gentype.waiting import wait_for
from k8srt.kubernetes.manifests.checks import check_types
from k8srt.kubernetes.manifests.outcomes import APPLIED, CONFIGURED, CREATED, UNCHANGED, UNCHECKED, Outcome, Outcomes
from k8srt.kubernetes.manifests.plan import Plan, Step
from k8srt.kubernetes.manifests.sources import Manifest, Source, read
from k8srt.util.clock import Clock
from k8srt.util.progress import Bar, progress_bar
from k8srt.util.wait import Backoff

if TYPE_CHECKING:
    from k8srt.kubernetes.clientset import Clientset

NOT_SERVED_YET = Backoff(initial=0.1, factor=1.5, cap=2.0)
_VARYING = ("generation", "managedFields", "resourceVersion")


def apply(
    clientset: Clientset,
    source: Source,
    *,
    field_manager: str = "k8srt",
    force: bool = False,
    namespace: str = "",
    dry_run: bool = False,
    wait_for_crds: bool = True,
    timeout: float | None = 60.0,
    stop: threading.Event | None = None,
    progress: bool = False,
    recursive: bool = False,
) -> Outcomes:
    """Apply all objects of `source`, and tell what became of each.

    `source`: objects, dicts, YAML or JSON text, open files, paths of files and folders (those below only if
    `recursive`), and lists of these. Namespaces and definitions go first, then what others refer to, then workloads,
    custom resources, and admission rules. With `wait_for_crds` definitions are waited for, `timeout` seconds in all
    (None: for ever). `namespace` is for objects that name none, else the clientset's is; one that names another raises
    ValueError. `force` takes fields over that belong to other managers. Fields the server does not know are refused.

    Before anything is sent: DecodeError for what cannot be read or has a value of the wrong type, naming file,
    document, line and path; NoMatch for a kind that is not served; ValueError for one object given twice. Then: what
    the server refuses, as its StatusError (Conflict names the other managers), with the place in its message and a note
    of what was applied before; WaitTimeout, Stopped.
    """
    if not field_manager:
        raise ValueError("apply needs a field_manager")
    if timeout is not None and timeout < 0:
        raise ValueError(f"timeout must not be negative: {timeout}")
    manifests = read(source, recursive=recursive)
    plan = Plan(clientset, manifests, namespace)
    for step in plan.steps:
        _check(step)
    bar = progress_bar(len(plan.steps), what="applying", unit="object") if progress else None
    with _closing(bar):
        applying = _Applying(clientset, plan, field_manager, force, dry_run, timeout, stop)
        return applying.run(wait_for_crds and not dry_run, bar)


def _check(step: Step) -> None:
    manifest, client = step.manifest, step.client
    check_types(manifest, client.object_class if client.object_class.__info__ is not None else None)
    if manifest.document["metadata"].get("managedFields"):
        where = manifest.place.at("metadata", "managedFields")
        raise ValueError(
            f"{where}: {manifest}: metadata.managedFields must not be set; this object was read from a server, and "
            "applying all of it would take over fields of others (see extract_apply)"
        )
    if client.object_class.__info__ is not None and "patch" not in client.info.verbs:
        raise ValueError(f"{manifest.place}: {manifest}: {client.info.resource} cannot be applied, only created")


class _Applying:
    """One run over a plan. Used by one thread."""

    def __init__(
        self,
        clientset: Clientset,
        plan: Plan,
        field_manager: str,
        force: bool,
        dry_run: bool,
        timeout: float | None,
        stop: threading.Event | None,
    ) -> None:
        self._clientset = clientset
        self._plan = plan
        self._options: dict[str, Any] = {"field_manager": field_manager, "force": force, "field_validation": "Strict"}
        if dry_run:
            self._options["dry_run"] = True
        self._dry_run = dry_run
        self._timeout = timeout
        self._stop = stop
        self._clock: Clock = clientset.rest_client.clock
        self._end: float | None = None
        self._waiting = False
        self._done: list[Outcome] = []

    def run(self, wait: bool, bar: Bar | None) -> Outcomes:
        fresh: list[Step] = []
        for step in self._plan.steps:
            if fresh and not step.is_definition:
                self._establish(fresh, wait)
                fresh = []
            with self._explained(step.manifest):
                self._done.append(self._apply(step, wait))
            if step.is_definition:
                fresh.append(step)
            if bar is not None:
                bar.step(str(self._done[-1]))
        self._establish(fresh, wait)
        return Outcomes(self._done)

    # ---- one object -----------------------------------------------------------------------------------------------

    def _apply(self, step: Step, wait: bool) -> Outcome:
        if self._stop is not None and self._stop.is_set():
            raise Stopped(f"stopped before {step.manifest} was applied")
        before, seen = self._before(step)
        try:
            after = self._send(step, wait)
        except NotFound:
            if not (self._dry_run and self._may_come(step)):
                raise
            return Outcome(UNCHECKED, step.object(), step.manifest, True)
        action = APPLIED if not seen else CREATED if before is None else _compared(before, after)
        return Outcome(action, after, step.manifest, self._dry_run)

    def _before(self, step: Step) -> tuple[Object | None, bool]:
        """The object as it is, and whether that could be seen."""
        try:
            return step.client.get(step.manifest.name, stop=self._stop), True
        except NotFound:
            return None, True
        except Forbidden:
            return None, False

    def _send(self, step: Step, wait: bool) -> Object:
        """Apply; what a new definition defines is not always served at once."""
        delays = NOT_SERVED_YET.delays()
        while True:
            try:
                made: Object = step.client.apply(step.manifest.document, stop=self._stop, **self._options)
                return made
            except NotServed as err:
                left = self._left()
                if not (wait and step.custom) or (left is not None and left <= 0.0):
                    raise
                delay = next(delays)
                if self._clock.wait_event(self._stop or threading.Event(), delay if left is None else min(delay, left)):
                    raise Stopped(f"stopped before {step.manifest} was applied") from err

    def _may_come(self, step: Step) -> bool:
        """Whether a real run would make what a dry run misses."""
        return step.custom or step.manifest.namespace in self._plan.namespaces

    # ---- definitions ----------------------------------------------------------------------------------------------

    def _establish(self, definitions: list[Step], wait: bool) -> None:
        for step in definitions if wait else ():
            with self._explained(step.manifest):
                wait_for(step.client, step.manifest.name, _Established(), timeout=self._left(), stop=self._stop)
        if definitions and not self._dry_run:
            self._clientset.mapper.reset()

    def _left(self) -> float | None:
        """Seconds left to wait for definitions; they count from the first wait on."""
        if self._timeout is None:
            return None
        now = self._clock.now()
        self._end = now + self._timeout if self._end is None else self._end
        return max(self._end - now, 0.0)

    @contextmanager
    def _explained(self, manifest: Manifest) -> Iterator[None]:
        """Errors say of which manifest they are, and what had been done."""
        try:
            yield
        except StatusError as err:
            located = type(err)(err.status, f"{manifest.place}: {manifest}: {err}")
            self._note(located)
            raise located from err
        except K8srtError as err:
            err.add_note(f"while applying {manifest} ({manifest.place})")
            self._note(err)
            raise

    def _note(self, err: K8srtError) -> None:
        left = len(self._plan.steps) - len(self._done)
        done = ", ".join(map(str, self._done)) or "nothing"
        err.add_note(f"done before: {done}; {left} of {len(self._plan.steps)} not applied")


class _Established(HasCondition):
    """A definition is served. Raises ValueError when it never will be, because its names are taken."""

    def __init__(self) -> None:
        super().__init__("Established")

    def met(self, record: Record | None) -> bool:
        for each in (part(record, "status").get("conditions") or ()) if record is not None else ():
            if each.get("type") == "NamesAccepted" and each.get("status") == "False":
                raise ValueError(f"the names of {record.name if record else ''} are not accepted: {told(each)}")
        return super().met(record)


def _compared(before: Object, after: Object) -> str:
    """Whether anything is different but who owns what."""
    return UNCHANGED if _content(before.to_record()) == _content(after.to_record()) else CONFIGURED


def _content(record: Record) -> dict[str, Any]:
    parts: dict[str, Any] = {key: value for key, value in record.parts.items() if key != "metadata"}
    metadata = part(record, "metadata")
    return {**parts, "metadata": {key: value for key, value in metadata.items() if key not in _VARYING}}


@contextmanager
def _closing(bar: Bar | None) -> Iterator[None]:
    try:
        yield
    finally:
        if bar is not None:
            bar.close()
