"""A value that is made when first asked for, by one thread; those who ask meanwhile wait for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """Keeps the one value until it is forgotten. Thread-safe; `make` runs outside the lock."""

    def __init__(self) -> None:
        self._cond = threading.Condition()  # guards all below
        self._value: T | None = None
        self._making = False
        self._generation = 0

    def get(self, make: Callable[[], T | None]) -> T | None:
        """The value, made if there is none. Raises what `make` raises; what is None is not kept.

        A value that was begun before it was to be forgotten is returned to who made it, and not kept. Waiting takes
        as long as another's `make`.
        """
        with self._cond:
            while self._making:
                self._cond.wait()
            if self._value is not None:
                return self._value
            self._making = True
            generation = self._generation
        value = None
        try:
            value = make()
        finally:
            with self._cond:
                self._making = False
                if generation == self._generation:
                    self._value = value
                self._cond.notify_all()
        return value

    def peek(self) -> T | None:
        """The value if there is one."""
        with self._cond:
            return self._value

    def forget(self, value: T | None = None) -> bool:
        """Forget the value; with one given, only if it is still that one. Returns whether it was forgotten."""
        with self._cond:
            if value is not None and self._value is not value:
                return False
            self._value = None
            self._generation += 1
            return True
