"""Who hears of a failure: the log, the function that asked to be told, events, a condition of the object.

Contract: REC-07, RTY-02, RTY-04 to RTY-06, LOG-06.
"""

from __future__ import annotations

import logging
import typing
from typing import Any

from k8srt.controller.context import Context
from k8srt.controller.kinds import gvk_of
from k8srt.controller.options import Options
from k8srt.controller.request import Result, RetryAfter
from k8srt.controller.retries import Failure, Verdict

_MOST = 1024  # bytes of a message in an event


class Reporter:
    """See the module. Thread-safe. `kind` is that of the objects, None where requests stand for something else."""

    def __init__(self, options: Options, kind: Any) -> None:
        self._options = options
        self._kind = kind
        self._events = kind is not None and gvk_of(kind).kind == "Event"

    def log(self, ctx: Context[Any], err: BaseException, failure: Failure | None) -> None:
        """One line for a failure, or none; `failure` is None for what is no failure."""
        if isinstance(err, RetryAfter) or failure is None:
            ctx.log.info("to be looked at again: %s", err)
        elif failure.verdict is Verdict.AT_ONCE:
            ctx.log.debug("somebody was faster, again: %s", err)
        elif failure.counted:
            ctx.log.error("Reconciler error%s, %d times the same in a row: %s", _end(failure), failure.same, err)
        elif failure.in_full:
            ctx.log.error("Reconciler error%s: %s", _end(failure), err, exc_info=err)
        else:
            ctx.log.debug("Reconciler error, the same again: %s", err)

    def tell(self, ctx: Context[Any], err: BaseException, failure: Failure) -> Result | None:
        """Tell whoever asked for it, and return what they want to be done. What goes wrong meanwhile is logged."""
        options = self._options
        wanted = (
            options.on_error is not None or options.conditions_on_error or (options.events_on_error and failure.post)
        )
        if failure.verdict is Verdict.AT_ONCE or not wanted:
            return None
        obj = self._object(ctx)
        if options.events_on_error and failure.post:
            self._post(ctx, obj, "Warning", "ReconcileError", str(err) or type(err).__name__)
        if options.conditions_on_error and obj is not None:
            try:
                set_false(ctx, obj, options.conditions_on_error, err)
            except Exception as failed:  # noqa: BLE001 - the error itself is what matters
                ctx.log.warning("the condition %s could not be set: %s", options.conditions_on_error, failed)
        if options.on_error is None:
            return None
        try:
            result: object = options.on_error(obj, err, ctx)
        except Exception:
            ctx.log.exception("on_error failed")
            return None
        if result is not None and not isinstance(result, Result):
            ctx.log.error("on_error returns a Result or None, not %r", result)
            return None
        return result

    def recovered(self, ctx: Context[Any]) -> None:
        """What an event told of is over."""
        if self._options.events_on_error:
            self._post(ctx, self._object(ctx), "Normal", "ReconcileRecovered", "reconciled again")

    def _object(self, ctx: Context[Any]) -> Any:
        if self._kind is None:
            return None
        try:
            return ctx.cache.get(self._kind, ctx.request, timeout=0.0)
        except Exception as err:  # noqa: BLE001 - then there is nothing to show
            ctx.log.debug("the object of a failure could not be read: %s", err)
            return None

    def _post(self, ctx: Context[Any], obj: Any, kind: str, reason: str, message: str) -> None:
        if obj is None or ctx.recorder is None or self._events:
            return
        try:
            ctx.recorder.event(obj, kind, reason, message.encode()[:_MOST].decode(errors="ignore"))
        except Exception:
            ctx.log.log(logging.WARNING, "an event about a failure could not be recorded", exc_info=True)


def _end(failure: Failure) -> str:
    """What the line about a failure says of the time after it."""
    if failure.verdict is Verdict.GIVEN_UP:
        return f", given up after {failure.attempt + 1} attempts"
    return ", not to be tried again" if failure.verdict is Verdict.TERMINAL else ""


def set_false(ctx: Context[Any], obj: Any, condition: str, err: BaseException) -> bool:
    """Set a condition to False because of an error, if the kind has conditions. Returns whether anything was written.

    Contract: RTY-06.
    """
    status = obj.to_dict().get("status") or {}
    if "conditions" not in status and not has_conditions(type(obj)):
        return False
    conditions = [dict(each) for each in status.get("conditions") or []]
    told = {"status": "False", "reason": type(err).__name__, "message": str(err)[:_MOST]}
    found = next((each for each in conditions if each.get("type") == condition), None)
    if found is None:
        conditions.append({"type": condition, **told, "lastTransitionTime": _now(ctx)})
    elif all(found.get(name) == value for name, value in told.items()):
        return False
    else:
        if found.get("status") != "False":
            found["lastTransitionTime"] = _now(ctx)
        found.update(told)
    patch = {
        "metadata": {"resourceVersion": obj.metadata.resource_version},
        "status": {"conditions": conditions},
    }
    ctx.client.patch(obj, patch, patch_type="merge", subresource="status")
    return True


def _now(ctx: Context[Any]) -> str:
    return ctx.clock.time().strftime("%Y-%m-%dT%H:%M:%SZ")


def has_conditions(kind: type[Any]) -> bool:
    """Whether objects of a class have conditions in their status, as far as the class says."""
    for name in ("status", "conditions"):
        hints = _hints(kind)
        if name not in hints:
            return False
        parts = [each for each in (hints[name], *typing.get_args(hints[name])) if isinstance(each, type)]
        kind = parts[0] if parts else type(None)
    return True


def _hints(kind: type[Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(kind)
    except Exception:  # noqa: BLE001 - a class that is annotated with what is not there
        return dict(getattr(kind, "__annotations__", {}))
