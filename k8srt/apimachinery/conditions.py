"""Conditions in a status: found by their type, and changed as everybody expects. Contract: MACH-37.

    if set_condition(foo.status.conditions, Condition(type="Ready", status="True", reason="AllUp", message="")):
        foos.update_status(foo)

They take the list that the status holds and change it in place. Any struct with `type`, `status`, `reason`, `message`
and `last_transition_time` is a condition, as those of built-in kinds are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from k8srt.util.clock import SYSTEM, Clock

C = TypeVar("C", bound=Any)

_TOLD = ("status", "reason", "message", "observed_generation")


def find_condition(conditions: Sequence[C] | None, condition_type: str) -> C | None:
    """The condition of a type, or None."""
    return next((condition for condition in conditions or () if condition.type == condition_type), None)


def set_condition(conditions: list[C], new: C, *, clock: Clock = SYSTEM) -> bool:
    """Add a condition, or bring the one of its type up to date. Returns whether anything changed.

    Its time of transition changes only with its status: to the one that `new` has, or else to now. `new` stays as it
    is.
    """
    old = find_condition(conditions, new.type)
    if old is None:
        added = type(new)(**{name: getattr(new, name) for name in new.__struct_fields__})
        added.last_transition_time = new.last_transition_time or clock.time()
        conditions.append(added)
        return True
    if old.status != new.status:
        old.last_transition_time = new.last_transition_time or clock.time()
    told = [name for name in _TOLD if name in new.__struct_fields__ and getattr(old, name) != getattr(new, name)]
    for name in told:
        setattr(old, name, getattr(new, name))
    return bool(told)


def remove_condition(conditions: list[C], condition_type: str) -> bool:
    """Take out the condition of a type. Returns whether there was one."""
    kept = [condition for condition in conditions if condition.type != condition_type]
    changed = len(kept) != len(conditions)
    conditions[:] = kept
    return changed


def is_condition_true(conditions: Sequence[Any] | None, condition_type: str) -> bool:
    return is_condition_present_and_equal(conditions, condition_type, "True")


def is_condition_false(conditions: Sequence[Any] | None, condition_type: str) -> bool:
    return is_condition_present_and_equal(conditions, condition_type, "False")


def is_condition_present_and_equal(conditions: Sequence[Any] | None, condition_type: str, status: str) -> bool:
    """Whether there is a condition of the type, and it has this status."""
    found = find_condition(conditions, condition_type)
    return found is not None and found.status == status
