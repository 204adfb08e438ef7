"""Things without metadata, and a store that knows some: what queues are tested with."""

from __future__ import annotations


class Thing(tuple):
    """A name and a value."""

    __slots__ = ()


def thing(name, value=0):
    return Thing((name, value))


def by_name(obj):
    return obj[0]


class Known:
    """A store that knows these things."""

    def __init__(self, *things, missing=()):
        self._things = {by_name(each): each for each in things}
        self._missing = list(missing)

    def list_keys(self):
        return [*self._things, *self._missing]

    def get_by_key(self, key):
        if key == "raises":
            raise RuntimeError("lookup failed")
        return self._things.get(key)


def popped(queue):
    """The next deltas: type, and object (or for a tombstone key and object)."""
    return [(str(kind), obj) for kind, obj in queue.pop(lambda deltas, initial: None)]


def drained(queue):
    return [popped(queue) for _ in range(len(queue))]
