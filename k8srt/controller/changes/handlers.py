"""The handlers of a kind, as a reconciler: it compares an object to what was last handled, and calls whom it concerns.

Underneath, it is level-based: what changed several times meanwhile is one change, and what was missed while the program
was down is found when it starts. Each handler is called until it succeeds, by itself; then it is kept that all of it
was handled. A handler may be called again for what it has done, if the program ends in between.

Contract: DEC-03.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from k8srt.controller.changes.essence import Change, essence, value_at, wanted
from k8srt.controller.changes.keeping import Keeping, State
from k8srt.controller.event import CreateEvent
from k8srt.controller.finalizers import contains_finalizer, put_on, release
from k8srt.controller.predicate import Predicate
from k8srt.controller.request import Result, TerminalError

if TYPE_CHECKING:
    from k8srt.controller.context import Context

What = Literal["create", "update", "delete", "field"]
Function = Callable[..., Result | None]


class Handler:
    """A function of `(obj, ctx)` or `(obj, ctx, change)`, and what it is to be called for."""

    def __init__(self, what: What, function: Function, predicates: Iterable[Predicate], field: str = "") -> None:
        """Raises TypeError for what is no such function."""
        self.what = what
        self.field = field
        self._function = function
        self._predicates = list(predicates)
        self._takes_change = _takes_change(function)

    def matches(self, obj: Any) -> bool:
        """Whether an object passes its filters."""
        return all(each.accepts(CreateEvent(obj)) for each in self._predicates)

    def concern(self, last: State | None, now: State) -> Change | None:
        """What there is to tell it, None for nothing."""
        if self.what == "field":
            change = Change(value_at(last, self.field), value_at(now, self.field))
            return change if change.old != change.new else None
        if self.what == "create":
            return Change(None, wanted(now)) if last is None else None
        change = Change(wanted(last), wanted(now))
        return change if self.what == "update" and last is not None and change.old != change.new else None

    def __call__(self, obj: Any, ctx: Context[Any], change: Change) -> Result | None:
        return self._function(obj, ctx, change) if self._takes_change else self._function(obj, ctx)

    def __repr__(self) -> str:
        name = getattr(self._function, "__qualname__", repr(self._function))
        return f"<on {self.what}{f' of {self.field}' if self.field else ''}: {name}>"


class Handlers:
    """See the module. Handlers are added before the start, by one thread; objects are handled by any number."""

    def __init__(self, keeping: Keeping, finalizer: str = "") -> None:
        self._keeping = keeping
        self._finalizer = finalizer
        self._handlers: list[Handler] = []

    def add(self, handler: Handler) -> None:
        """Call one more."""
        self._handlers.append(handler)

    def __call__(self, obj: Any, ctx: Context[Any]) -> Result | None:
        """Handle what has changed. Raises what the first handler raised that is to be tried again."""
        mine = [each for each in self._handlers if each.matches(obj)]
        if obj.metadata.deletion_timestamp is not None:
            return self._deleted(obj, ctx, mine)
        if not mine:
            return None
        if any(each.what == "delete" for each in mine) and not contains_finalizer(obj, self._finalizer):
            obj = put_on(ctx, obj, self._finalizer)
        last, now = self._keeping.last(obj, ctx), self._state(obj)
        progress: dict[Handler, State] = ctx.memo.setdefault(Handlers, {})  # since all had succeeded
        if last == now and not progress:
            return None
        todo = []
        for each in mine:
            change = each.concern(progress.get(each, last), now)
            if change is None:
                progress[each] = now
            else:
                todo.append((each, change))

        def handled(handler: Handler) -> None:
            progress[handler] = now

        def over() -> None:
            self._keeping.keep(obj, now, ctx)
            progress.clear()

        return _call(todo, obj, ctx, handled, over)

    def _state(self, obj: Any) -> State:
        fields = [each.field for each in self._handlers if each.field]
        return essence(obj, leave_out=self._keeping.annotation, fields=fields)

    def _deleted(self, obj: Any, ctx: Context[Any], mine: Sequence[Handler]) -> Result | None:
        if not self._finalizer or not contains_finalizer(obj, self._finalizer):
            return None
        done: set[Handler] = ctx.memo.setdefault(_deleted, set())
        change = Change(wanted(self._state(obj)), None)
        todo = [(each, change) for each in mine if each.what == "delete" and each not in done]
        return _call(todo, obj, ctx, done.add, lambda: release(ctx, obj, self._finalizer))

    def __repr__(self) -> str:
        return f"<handlers: {', '.join(map(repr, self._handlers))}>"


_deleted = object()  # where it is noted which handlers have seen an object go


def _call(
    todo: Sequence[tuple[Handler, Change]],
    obj: Any,
    ctx: Context[Any],
    handled: Callable[[Handler], object],
    over: Callable[[], object],
) -> Result | None:
    """Call all of them; tell `handled` of each that is done with it, and once all are, call `over`."""
    results: list[Result] = []
    failures: list[Exception] = []
    hopeless: list[Exception] = []
    for handler, change in todo:
        try:
            result = handler(obj.copy(), ctx, change)
        except TerminalError as err:
            hopeless.append(err)
        except Exception as err:  # noqa: BLE001 - raised when the others have had their turn
            err.add_note(f"in {handler!r}")
            failures.append(err)
            continue
        else:
            if result is not None and (result.requeue_after > 0.0 or result.requeue):
                results.append(result)
                continue
        handled(handler)
    if failures:
        raise failures[0]
    if results:
        return min(results, key=lambda each: each.requeue_after)
    over()
    if hopeless:
        raise hopeless[0]
    return None


def _takes_change(function: Any) -> bool:
    if not callable(function):
        raise TypeError(f"expected a function of (obj, ctx) or (obj, ctx, change), not {function!r}")
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__):
        raise TypeError(f"{function!r} is a coroutine function; handlers run in threads")
    signature = inspect.signature(function)
    for arguments in (3, 2):
        try:
            signature.bind(*[None] * arguments)
        except TypeError:
            continue
        return arguments == 3
    raise TypeError(f"{function!r} should take (obj, ctx) or (obj, ctx, change), not {signature}")
