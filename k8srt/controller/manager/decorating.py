"""The decorators of a manager, and what they leave to be called at its start and its end.

    @mgr.controller(Foo, owns=[Deployment])
    def reconcile(obj, ctx): ...

    @mgr.timer(Foo, interval=60.0)
    def check(obj, ctx): ...

    @mgr.on_start
    def connect(mgr): ...

Each returns the function as it is. `Registry` has the same for managers that are not there yet.

Contract: DEC-01 to DEC-04.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from k8srt.apimachinery.object import Object
from k8srt.controller.builder import Builder
from k8srt.controller.dependents.member import Member
from k8srt.controller.dependents.workflow import Workflow
from k8srt.controller.finalizers import with_finalizer
from k8srt.controller.manager.groups import FunctionRunnable
from k8srt.controller.predicate import Where
from k8srt.controller.request import Request, Result
from k8srt.controller.timers.decorating import TimerDecorators

if TYPE_CHECKING:
    from k8srt.controller.changes.on import On
    from k8srt.controller.manager.manager import Manager
    from k8srt.controller.registry import Registry
    from k8srt.controller.webhook.server import WebhookServer

F = TypeVar("F", bound=Callable[..., Any])


class Hooks:
    """What is called around everything else: in order at the start, the other way round at the end. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards all below
        self._starts: list[Callable[..., object]] = []
        self._stops: list[Callable[..., object]] = []

    def add(self, function: Callable[..., object], *, at_stop: bool) -> None:
        """Have a function of the manager, or of nothing, called."""
        if not callable(function):
            raise TypeError(f"expected a function, got {function!r}")
        with self._lock:
            (self._stops if at_stop else self._starts).append(function)

    def start(self, manager: Manager, failed: Callable[[Any, Exception], object]) -> None:
        """Call those for the start. What one raises goes to `failed`, and the rest is not called."""
        with self._lock:
            starts = list(self._starts)
        for function in starts:
            try:
                _call(function, manager)
            except Exception as err:  # noqa: BLE001 - it is the user's, and ends the manager
                failed(function, err)
                return

    def stop(self, manager: Manager, failed: Callable[[Any, Exception], object]) -> None:
        """Call those for the end, all of them; what one raises goes to `failed`."""
        with self._lock:
            stops = self._stops[::-1]
        for function in stops:
            try:
                _call(function, manager)
            except Exception as err:  # noqa: BLE001 - the others are called all the same
                failed(function, err)


def _call(function: Callable[..., object], manager: Manager) -> None:
    function(*([manager] if inspect.signature(function).parameters else []))


class Decorators(TimerDecorators):
    """What a manager inherits."""

    @functools.cached_property
    def on(self) -> On:
        """Decorators for handlers of single changes: `@mgr.on.create(Foo)`, `update`, `delete`, `field`.

        A second choice: a reconciler (`controller`) says less, and forgets nothing. Contract: DEC-03.
        """
        from k8srt.controller.changes.on import On  # few managers have any

        return On(cast("Manager", self))

    def controller(
        self,
        kind: Any,
        *,
        owns: Iterable[Any] = (),
        watches: Mapping[Any, Callable[[Any], Iterable[Request]]] | None = None,
        dependents: Iterable[Member] | Workflow = (),
        where: Where | Iterable[Where] = None,
        labels: Mapping[str, Any] | None = None,
        annotations: Mapping[str, Any] | None = None,
        only_metadata: bool = False,
        finalizer: str = "",
        cleanup: Callable[..., Result | None] | None = None,
        uses: Iterable[tuple[Any, *tuple[str, ...]]] = (),
        name: str = "",
        **options: Any,
    ) -> Callable[[F], F]:
        """Make a function the reconciler of a kind: of `(request, ctx)`, or of `(obj, ctx)`. It stays as it is.

        `owns` are kinds whose objects lead to the one that controls them, `watches` gives for other kinds the function
        that says to which requests they lead. `dependents` are kept for each object, before the function is called.
        `where`, `labels` and `annotations` say which objects of `kind` matter.
        `finalizer` keeps an object until `cleanup(obj, ctx)` has returned, see `with_finalizer`.
        `uses` is what it asks the server for: `[(Deployment, "create"), (Foo, "patch/status")]`, see `Builder.uses`.
        Other keywords are those of `Options`: `workers`, `timeout`, `backoff`, …; and `replace`, which has it take the
        place of the controller that has its name, as when the cell of a notebook runs again. Contract: DEC-01, FLT-01.
        """
        if bool(finalizer) != (cleanup is not None):
            raise ValueError("finalizer and cleanup belong together")
        builder = Builder(cast("Manager", self)).named(name).with_options(**options)
        builder.for_(kind, where, labels=labels, annotations=annotations, only_metadata=only_metadata)
        for owned in owns:
            builder.owns(owned)
        for other, requests_of in (watches or {}).items():
            builder.watches(other, map=requests_of)
        if isinstance(dependents, Workflow):
            builder.dependents(dependents)
        elif kept := list(dependents):
            builder.dependents(*kept)
        for used, *verbs in uses:
            for verb, _, part in (each.partition("/") for each in verbs):
                builder.uses(used, verb, part=part)

        def decorate(function: F) -> F:
            builder.complete(function if cleanup is None else with_finalizer(finalizer, cleanup=cleanup)(function))
            return function

        return decorate

    def on_start(self, function: F) -> F:
        """Have a function, of the manager or of nothing, called once the caches are filled and before anything is
        reconciled; those defined first are called first. What it raises ends the manager."""
        cast("Manager", self).hooks.add(function, at_stop=False)
        return function

    def on_stop(self, function: F) -> F:
        """Have a function called when all that ran has ended, before connections are closed; those defined last are
        called first."""
        cast("Manager", self).hooks.add(function, at_stop=True)
        return function

    @overload
    def runnable(self, function: F, /) -> F: ...
    @overload
    def runnable(self, /, *, need_leader_election: bool = True) -> Callable[[F], F]: ...
    def runnable(self, function: Any = None, /, *, need_leader_election: bool = True) -> Any:
        """Have a function of a stop run in a thread of its own, if `need_leader_election` on the leader only."""

        def decorate(run: F) -> F:
            cast("Manager", self).add(FunctionRunnable(run, need_leader_election=need_leader_election))
            return run

        return decorate if function is None else decorate(function)

    def index(self, kind: Any, field: str) -> Callable[[F], F]:
        """Have objects of a kind found by the strings that a function of one gives. See `Cache.index_field`."""

        def decorate(values: F) -> F:
            cast("Manager", self).cache.index_field(kind, field, values)
            return values

        return decorate

    def check(self, name: str, *, ready: bool = False) -> Callable[[F], F]:
        """Have a function that raises when something is wrong asked about health, or with `ready` about readiness."""

        def decorate(check: F) -> F:
            manager = cast(Any, self)
            (manager.add_readyz_check if ready else manager.add_healthz_check)(name, check)
            return check

        return decorate

    def validate(self, kind: type[Object], **options: Any) -> Callable[[F], F]:
        """Have a function of `(obj)` or `(obj, old)` say whether objects may be as they are; it raises AdmissionError
        if not, and returns warnings. Keywords are `path`, `recover_panic` and the fields of `HookRules`: DEC-02.
        """
        from k8srt.controller.webhook.registration import serve_validator

        return _registering(lambda function: serve_validator(self._webhooks(), kind, function, **options))

    def mutate(self, kind: type[Object], **options: Any) -> Callable[[F], F]:
        """Have a function change objects before they are kept. Keywords: those of `validate`, `remove_unknown`."""
        from k8srt.controller.webhook.registration import serve_defaulter

        return _registering(lambda function: serve_defaulter(self._webhooks(), kind, function, **options))

    def convert(self, kind: type[Object]) -> Callable[[F], F]:
        """Have a function of `(src, dst)` turn objects of any version of a kind into those of another: DEC-02."""
        from k8srt.controller.webhook.registration import serve_conversion

        return _registering(lambda function: serve_conversion(self._webhooks(), kind, function))

    def _webhooks(self) -> WebhookServer:
        return cast("Manager", self).webhook_server

    def include(self, registry: Registry) -> None:
        """Add all that a registry holds."""
        registry.add_to(cast("Manager", self))


def _registering(register: Callable[[Any], None]) -> Callable[[F], F]:
    """A decorator that leaves the function as it is."""

    def decorate(function: F) -> F:
        register(function)
        return function

    return decorate
