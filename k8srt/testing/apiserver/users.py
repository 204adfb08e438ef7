"""Somebody, as the server knows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

AUTHENTICATED, UNAUTHENTICATED = "system:authenticated", "system:unauthenticated"
MASTERS = "system:masters"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody, as the server knows them."""

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


ANONYMOUS = User("system:anonymous", "", (UNAUTHENTICATED,))


class Identified(NamedTuple):
    """Whom credentials name, and for which audiences they are good."""

    user: User
    audiences: tuple[str, ...]


class Unauthentic(Exception):
    """Credentials do not hold; the text says why."""
