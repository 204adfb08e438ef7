"""One controller, run until there is nothing left for it to do.

    with controller_test(reconcile, [foo], kind=Foo, owns=[Deployment]) as run:
        assert run.clientset.apps_v1.deployments("default").get("example").spec.replicas == 1
        run.clientset.resource(Foo, "default").patch("example", {"spec": {"replicas": 2}}, patch_type="merge")
        run.settle()
        assert run.clientset.apps_v1.deployments("default").get("example").spec.replicas == 2

The cluster is that of the embedded server, without HTTP (a `FakeClientset`), unless a clientset is given. Idle means:
what the server has is in the caches, every handler has heard of it, the queue is empty, and nothing is being worked on.
What waits for later, after a failure or by `requeue_after`, does not count; with a `FakeClock`, `step` goes there.

Contract: ETE-10.
"""

from __future__ import annotations

import functools
import inspect
import threading
import typing
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

from k8srt.apimachinery.object import Object
from k8srt.controller.builder import Builder
from k8srt.controller.controller import Controller
from k8srt.controller.dependents.dependent import Dependent
from k8srt.controller.dependents.member import Member
from k8srt.controller.dependents.workflow import Workflow
from k8srt.controller.manager.manager import Manager
from k8srt.controller.request import Request, Result
from k8srt.kubernetes.clientset import Clientset
from k8srt.kubernetes.manifests.sources import Source
from k8srt.testing.clock import FakeClock
from k8srt.testing.fake.clientset import FakeClientset
from k8srt.util.clock import SYSTEM, Clock

TIMEOUT = 10.0
MANY = 10_000
_GLANCE = 0.005  # between looks at what tells nobody that it is done

Reconcile = Callable[..., Result | None]


class Reconciled(NamedTuple):
    """One call of the reconciler: what it was asked, what it answered, or what it raised."""

    request: Request
    result: Result | None
    error: BaseException | None

    def __str__(self) -> str:
        end = f"raised {type(self.error).__name__}" if self.error is not None else str(self.result or "done")
        return f"{self.request}: {end}"


class NotIdle(AssertionError):
    """The controller found no rest; the message says what it was up to."""


class ControllerTest:
    """See the module. A context manager: entering starts the controller and settles. One thread uses it."""

    def __init__(
        self,
        reconcile: Any,
        objects: Iterable[Source],
        *,
        kind: type[Object],
        owns: Iterable[type[Object]],
        watches: Mapping[type[Object], Callable[[Any], Iterable[Request]]],
        clientset: Clientset | None,
        namespace: str,
        allow_errors: bool,
        timeout: float,
        clock: Clock,
        dependents: Workflow | None,
        options: Mapping[str, Any],
    ) -> None:
        self.reconciled: list[Reconciled] = []
        self.clock = clock
        self._allow_errors = allow_errors
        self._timeout = timeout
        self._owned = clientset is None
        self._changed = threading.Condition()  # guards `reconciled` and `_seen`
        self._raised_before = 0
        self._namespace = namespace
        self.clientset: Clientset = (
            FakeClientset(garbage_collection=True, clock=clock) if clientset is None else clientset
        )
        self._objects = list(objects)
        self._reader: Clientset = self.clientset
        if isinstance(self.clientset, FakeClientset):
            self._reader = self.clientset.tracker
        self.manager = Manager(self.clientset, namespace=namespace, clock=clock)
        builder = Builder(self.manager).for_(kind).with_options(skip_name_validation=True, **options)
        for owned in owns:
            builder.owns(owned)
        for other, requests_of in watches.items():
            builder.watches(other, map=requests_of)
        kept = dict.fromkeys(_kinds_of(dependents)) if dependents is not None else {}
        if dependents is not None:
            builder.dependents(dependents)
            if "on_error" not in options:
                builder.with_options(on_error=self._failed)
        self.controller: Controller = builder.build(self._recording(reconcile))
        self._sources = Counter([kind, *owns, *watches, *kept])
        self._kinds = list(self._sources)
        self._seen: dict[type[Object], dict[tuple[str, str], str]] = {each: {} for each in self._kinds}

    # ---- life -----------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        if self._objects:
            self.load(*self._objects)
        self.manager.start()
        try:
            self._await_sources()
            for kind in self._kinds:
                self._probe(kind)
            self.settle()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop the controller. Twice is fine."""
        self.manager.stop()
        if self._owned:
            self.clientset.close()

    def load(self, *objects: Source) -> None:
        """Put more objects there: as they are into a fake, by server-side apply elsewhere."""
        if isinstance(self.clientset, FakeClientset):
            self.clientset.load(*objects)
        else:
            for each in objects:
                self.clientset.apply(each, namespace=self._namespace or "default", field_manager="k8srt-test")

    # ---- what was done --------------------------------------------------------------------------------------------

    @property
    def requests(self) -> list[Request]:
        """What was reconciled, in the order in which it was over."""
        with self._changed:
            return [each.request for each in self.reconciled]

    @property
    def errors(self) -> list[BaseException]:
        """What the reconciler raised."""
        with self._changed:
            return [each.error for each in self.reconciled if each.error is not None]

    def _recording(self, reconcile: Any) -> Reconcile:
        called: Reconcile = reconcile if callable(reconcile) else reconcile.reconcile

        @functools.wraps(called)
        def recorded(what: Any, ctx: Any) -> Result | None:
            result, error = None, None
            try:
                result = called(what, ctx)
            except BaseException as err:
                error = err
                raise
            finally:
                with self._changed:
                    self.reconciled.append(Reconciled(ctx.request, result, error))
                    self._changed.notify_all()
            return result

        return recorded

    def _failed(self, obj: Any, err: BaseException, ctx: Any) -> None:
        """Note what a workflow has raised before the reconciler was called."""
        with self._changed:
            if not any(each.error is err for each in self.reconciled):
                self.reconciled.append(Reconciled(ctx.request, None, err))

    # ---- to the end -----------------------------------------------------------------------------------------------

    def settle(self) -> Sequence[Reconciled]:
        """Wait until it is idle; returns what was reconciled since the last time.

        Raises NotIdle when it finds no rest, and what the reconciler has raised unless errors are allowed.
        """
        deadline = SYSTEM.now() + self._timeout
        before = self._raised_before
        while (busy := self._busy()) is not None:
            with self._changed:
                done = len(self.reconciled) - before
                if SYSTEM.now() >= deadline or done > MANY:
                    raise NotIdle(f"after {done} reconciles and at most {self._timeout:g}s there is no rest: {busy}")
                self._changed.wait(_GLANCE)
        with self._changed:
            new = self.reconciled[before:]
            self._raised_before = len(self.reconciled)
        failed = next((each for each in new if each.error is not None), None)
        if failed is not None and failed.error is not None and not self._allow_errors:
            failed.error.add_note(f"raised by the reconciler for {failed.request}; allow_errors=True lets it be")
            raise failed.error
        return new

    def step(self) -> float | None:
        """Turn the clock to when the first of what waits for later is due, and settle.

        Returns by how many seconds, None if nothing waits. Raises TypeError without a FakeClock.
        """
        waiting = self.waiting()
        if not waiting:
            return None
        seconds = max(min(waiting.values()), 0.0)
        self.advance(seconds)
        return seconds

    def advance(self, seconds: float) -> Sequence[Reconciled]:
        """Turn the clock by so much, stopping wherever something is due, and settle. Raises TypeError without a
        FakeClock."""
        if not isinstance(self.clock, FakeClock):
            raise TypeError("only a FakeClock can be turned: controller_test(..., clock=FakeClock())")
        begin, end = len(self.reconciled), self.clock.now() + seconds
        while (left := end - self.clock.now()) > 0.0 or any(due <= 0.0 for due in self.waiting().values()):
            due = min([left, *self.waiting().values()])
            self.clock.advance(max(due, 0.0))
            self.settle()
        with self._changed:
            return self.reconciled[begin:]

    def waiting(self) -> dict[Request, float]:
        """What is to be reconciled later, and in how many seconds."""
        state = self.controller.queue.debug_state()
        return {each["item"]: float(each["due_in"]) for each in state["waiting"]}

    def _busy(self) -> str | None:
        """Why it is not idle. The order matters: whatever was written before the last look is seen by it."""
        held = self._held()
        for kind in self._kinds:
            with self._changed:
                if self._seen[kind] != held[kind]:
                    return f"the cache of {kind.__name__} is behind"
        for kind in self._kinds:
            for told in self._handlers(kind):
                if told["pending"]:
                    return f"{told['name']} has not heard of {told['pending']} changes"
        state = self.controller.queue.debug_state()
        if state["working"] or state["ready"]:
            return f"working on {list(map(str, state['working']))}, {len(state['ready'])} more are queued"
        return "something was written meanwhile" if self._held() != held else None

    def _held(self) -> dict[type[Object], dict[tuple[str, str], str]]:
        """The versions of all objects that the server has."""
        return {
            kind: {_key(each): each.metadata.resource_version for each in self._reader.resource(kind, space).list()}
            for kind in self._kinds
            for space in [self._namespace if _namespaced(kind) else ""]
        }

    def _await_sources(self) -> None:
        """Wait until the controller listens to everything, so that what listens from then on hears after it."""
        deadline = SYSTEM.now() + self._timeout
        for kind, count in self._sources.items():
            while len(self._handlers(kind)) < count:
                with self._changed:
                    self._changed.wait(_GLANCE)
                if SYSTEM.now() >= deadline:
                    raise NotIdle(f"the controller does not watch {kind.__name__} after {self._timeout:g}s")

    def _handlers(self, kind: type[Object]) -> Sequence[Mapping[str, Any]]:
        found: Sequence[Mapping[str, Any]] = self.manager.cache.informer(kind).debug_state()["handlers"]
        return found

    def _probe(self, kind: type[Object]) -> None:
        """Hear what the handlers hear, after them: then they have it, too, or it is pending."""
        seen = self._seen[kind]

        def put(obj: Any) -> None:
            with self._changed:
                seen[_key(obj)] = obj.metadata.resource_version
                self._changed.notify_all()

        def drop(obj: Any) -> None:
            with self._changed:
                seen.pop(_key(getattr(obj, "obj", obj)), None)
                self._changed.notify_all()

        informer = self.manager.cache.informer(kind)
        informer.add_event_handler(on_add=put, on_update=lambda old, new: put(new), on_delete=drop)

    def __repr__(self) -> str:
        return f"<ControllerTest {self.controller.name}: {len(self.reconciled)} reconciles>"


def controller_test(
    reconcile: Any,
    objects: Iterable[Source] = (),
    *,
    kind: type[Object] | None = None,
    owns: Iterable[type[Object]] = (),
    watches: Mapping[type[Object], Callable[[Any], Iterable[Request]]] | None = None,
    dependents: Workflow | Iterable[Member] = (),
    clientset: Clientset | None = None,
    namespace: str = "",
    allow_errors: bool = False,
    timeout: float = TIMEOUT,
    clock: Clock = SYSTEM,
    **options: Any,
) -> ControllerTest:
    """A controller over a cluster that holds `objects`, to be entered: it runs until it is idle, then the body runs.

    `kind` is what it is for; it may be left out where the first parameter of `reconcile` is annotated with it. `owns`,
    `watches`, `dependents` and further keywords are those of `Manager.controller`. `clientset` is a cluster to run it
    over instead of a fake. What the reconciler raises is raised to the test, unless with `allow_errors`. `timeout` is
    how long (seconds, of real time) it may take until it is idle. Raises TypeError when it cannot be told what it is
    for.
    """
    return ControllerTest(
        reconcile,
        objects,
        kind=kind or _kind_of(reconcile),
        owns=list(owns),
        watches=dict(watches or {}),
        dependents=_workflow_of(dependents),
        clientset=clientset,
        namespace=namespace,
        allow_errors=allow_errors,
        timeout=timeout,
        clock=clock,
        options=options,
    )


def _kind_of(reconcile: Any) -> type[Object]:
    function = reconcile if inspect.isroutine(reconcile) else getattr(reconcile, "reconcile", reconcile)
    try:
        hints = typing.get_type_hints(function)
        first = next(iter(inspect.signature(function).parameters), "")
    except (TypeError, ValueError, NameError):
        hints, first = {}, ""
    found = hints.get(first)
    if not (isinstance(found, type) and issubclass(found, Object)):
        raise TypeError(f"what {reconcile!r} reconciles is not annotated: pass kind=")
    return found


def _workflow_of(dependents: Workflow | Iterable[Member]) -> Workflow | None:
    if isinstance(dependents, Workflow):
        return dependents
    given = list(dependents)
    return Workflow(given) if given else None


def _kinds_of(workflow: Workflow) -> Iterator[type[Object]]:
    """The classes of what a workflow keeps, as far as it watches them from the start."""
    for member in workflow.graph.members.values():
        if isinstance(member, Dependent) and isinstance(member.kind, type) and member.active is None:
            yield member.kind


def _key(obj: Any) -> tuple[str, str]:
    return (obj.metadata.namespace or "", obj.metadata.name)


def _namespaced(kind: type[Object]) -> bool:
    info = kind.__info__
    return info is None or info.namespaced
