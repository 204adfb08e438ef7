"""`Literal` in models: a choice of values that's strict with what is made here, and lenient with what comes.

    size: Literal["small", "large"] = unset

Type checkers see `typing.Literal`. At run time an object that came from a server may hold a value that was added to
the API after the models were made: it's read, and written back, as it is, as client-go would; one that was made here
may not.
"""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar, cast


class _ChoiceType(type):
    """Lets plain values be instances of a choice, as msgspec asks of what it's given for a field."""

    kinds: tuple[type, ...]

    def __instancecheck__(cls, value: object) -> bool:
        return type(value) in cls.kinds


class Choice(metaclass=_ChoiceType):
    """The base of all choices: `choices` are the values, `kinds` their types."""

    choices: ClassVar[tuple[Any, ...]] = ()
    kinds = ()

    @classmethod
    def read(cls, value: Any) -> Any:
        """Any value of the right type. Raises TypeError for one of another."""
        if type(value) not in cls.kinds:
            raise TypeError(f"Expected {' or '.join(kind.__name__ for kind in cls.kinds)}, got {type(value).__name__}")
        return value

    @classmethod
    def check(cls, value: Any) -> Any:
        """One of the values. Raises ValueError for another, TypeError for one of another type."""
        if cls.read(value) not in cls.choices:
            raise ValueError(f"Expected one of {', '.join(map(repr, cls.choices))}, got {value!r}")
        return value


class Literal:
    """`Literal["a", "b"]` is the choice of these; the same values give the same class."""

    def __class_getitem__(cls, choices: Any) -> type[Choice]:
        return _choice(choices if isinstance(choices, tuple) else (choices,))


@cache
def _choice(choices: tuple[Any, ...]) -> type[Choice]:
    kinds = tuple(sorted({type(choice) for choice in choices}, key=lambda kind: kind.__name__))
    name = f"Literal[{', '.join(map(repr, choices))}]"
    made = _ChoiceType(name, (Choice,), {"choices": choices, "kinds": kinds, "__module__": __name__})
    return cast("type[Choice]", made)
