"""Making timers and daemons: controllers of one kind whose reconciler is a timer, or looks after daemons.

    new_timer(mgr, Foo, check, interval=60.0)
    new_daemon(mgr, Foo, tend, finalizer="example.com/tend")

Contract: TMR-01, TMR-03.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from k8srt.controller.builder import Builder
from k8srt.controller.controller import Controller
from k8srt.controller.filters import annotations_match, labels_match
from k8srt.controller.finalizers import check_finalizer
from k8srt.controller.kinds import metadata_only, name_of
from k8srt.controller.predicate import Predicate, Where, as_predicates
from k8srt.controller.reconciling.adapting import as_reconcile
from k8srt.controller.timers.daemons import MAX_DAEMONS, STOP_TIMEOUT, Daemons, Terms
from k8srt.controller.timers.essence import essence, version
from k8srt.controller.timers.members import Members
from k8srt.controller.timers.timer import Timer
from k8srt.controller.timers.timetable import JITTER, Delay, Plan

if TYPE_CHECKING:
    from k8srt.controller.manager.manager import Manager

Uses = Iterable[tuple[Any, *tuple[str, ...]]]


def new_timer(
    manager: Manager,
    kind: Any,
    function: Callable[..., Any],
    *,
    interval: Delay,
    initial_delay: Delay = 0.0,
    idle: Delay | None = None,
    sharp: bool = False,
    jitter: float = JITTER,
    where: Where | Iterable[Where] = None,
    labels: Mapping[str, Any] | None = None,
    annotations: Mapping[str, Any] | None = None,
    only_metadata: bool = False,
    uses: Uses = (),
    name: str = "",
    **options: Any,
) -> Controller:
    """A controller that calls `function(obj, ctx)`, or `(request, ctx)`, for each object of a kind time and again.

    `interval` seconds are from the end of a run to the next, with `sharp` from start to start, and vary by `jitter`.
    The first run is `initial_delay` seconds after the object was first seen, none is sooner than `idle` seconds after
    the object has changed: what is wanted, its labels or annotations. Delays may be functions of the object. `where`,
    `labels` and `annotations` say which objects have a timer. Other keywords are those of `Options`: `workers`, …
    Raises ValueError, TypeError for what cannot work.
    """
    _check(function, options)
    plan = Plan(interval=interval, initial_delay=initial_delay, idle=idle, sharp=sharp, jitter=jitter)
    members = Members(_filters(where, labels, annotations), changes_for(plan))
    form = metadata_only(kind) if only_metadata else kind
    timer = Timer(as_reconcile(function, form), form, plan, members)
    builder = _builder(manager, kind, name or _name(kind, function), members, only_metadata, uses, options)
    controller = builder.build(timer)
    controller.when_given_up(timer.given_up)
    return controller


def new_daemon(
    manager: Manager,
    kind: Any,
    function: Callable[..., Any],
    *,
    max_daemons: int = MAX_DAEMONS,
    stop_timeout: float | None = STOP_TIMEOUT,
    finalizer: str = "",
    where: Where | Iterable[Where] = None,
    labels: Mapping[str, Any] | None = None,
    annotations: Mapping[str, Any] | None = None,
    only_metadata: bool = False,
    uses: Uses = (),
    name: str = "",
    **options: Any,
) -> Controller:
    """A controller that has `function(obj, ctx)`, or `(request, ctx)`, run in a thread for each object of a kind.

    It runs until it returns; `ctx.stop` is set when it is to, as its object is deleted or does not match any more, or
    the controller ends. `stop_timeout` seconds later it is abandoned. When it has returned, it is run again once
    another thing is wanted of the object; what it raises is retried as with any reconciler. `ctx.current()` is the
    object as it is now. `max_daemons` run at once, other objects wait. `finalizer` keeps an object that was deleted
    until its daemon has ended. Other keywords are as of `new_timer`. Raises ValueError, TypeError for what cannot work.
    """
    _check(function, options)
    if "timeout" in options or "reconciliation_timeout" in options:
        raise ValueError("timeout: a daemon runs as long as it likes; stop_timeout is what it has to stop")
    if finalizer:
        check_finalizer(finalizer)
    terms = Terms(max_daemons=max_daemons, stop_timeout=stop_timeout, finalizer=finalizer)
    members = Members(_filters(where, labels, annotations), is_another_wish, finalizer)
    form = metadata_only(kind) if only_metadata else kind
    name = name or _name(kind, function)
    daemons = Daemons(name, as_reconcile(function, form), form, members, terms, manager.clock)
    controller = _builder(manager, kind, name, members, only_metadata, uses, options).build(daemons)
    controller.description.finalizer = finalizer
    attach(controller, daemons)
    return controller


def attach(controller: Controller, daemons: Daemons) -> None:
    """Have the daemons end with their controller, and shown by it."""
    controller.watch(daemons, "daemon")
    controller.on_end(daemons.end)
    controller.on_move(daemons.keep_only)
    controller.show("daemons", daemons.debug_state)


def is_another_wish(old: Any, new: Any) -> bool:
    """Which updates may change whether there is to be a daemon."""
    deleting = [each.metadata.deletion_timestamp is not None for each in (old, new)]
    return deleting[0] != deleting[1] or version(old) != version(new)


def _check(function: Any, options: Mapping[str, Any]) -> None:
    if not callable(function):
        raise TypeError(f"expected a function of (obj, ctx), not {function!r}")
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__):
        raise TypeError(f"{function!r} is a coroutine function; timers and daemons run in threads")
    if options.get("run_in", "thread") != "thread":
        raise ValueError(f"run_in: timers and daemons run in threads, not in {options['run_in']!r}")


def _filters(where: Any, labels: Mapping[str, Any] | None, annotations: Mapping[str, Any] | None) -> list[Predicate]:
    predicates = as_predicates(where)
    predicates += [labels_match(labels)] if labels is not None else []
    return predicates + ([annotations_match(annotations)] if annotations is not None else [])


def changes_for(plan: Plan) -> Callable[[Any, Any], bool]:
    """Which updates may change when an object is due: none, most often."""
    if callable(plan.interval):
        return lambda old, new: bool(old.metadata.resource_version != new.metadata.resource_version)
    if plan.idle is not None:
        return lambda old, new: essence(old) != essence(new)
    return lambda old, new: False


def _name(kind: Any, function: Any) -> str:
    called = getattr(function, "__name__", type(function).__name__).strip("<>_").replace("_", "-").lower()
    return f"{name_of(kind).lower()}-{called}"


def _builder(
    manager: Manager,
    kind: Any,
    name: str,
    members: Members,
    only_metadata: bool,
    uses: Uses,
    options: Mapping[str, Any],
) -> Builder:
    builder = Builder(manager).named(name).with_options(**{"run_in": "thread", **options})
    builder.for_(kind, members, only_metadata=only_metadata)
    for used, *verbs in uses:
        for verb, _, part in (each.partition("/") for each in verbs):
            builder.uses(used, verb, part=part)
    return builder
