"""What became of each object: a list that prints like kubectl, and is a table in a notebook."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, overload

from k8srt.apimachinery.object import Object
from k8srt.kubernetes.manifests.sources import Manifest

CREATED, CONFIGURED, UNCHANGED = "created", "configured", "unchanged"
APPLIED = "serverside-applied"
"""Applied; whether that changed anything could not be seen."""
UNCHECKED = "not checked"
"""Of a dry run: what it needs is not on the server yet."""
DELETED, ABSENT = "deleted", "not found"

SHOWN = 50
"""How many outcomes are spelled out by `repr`; `str` and the table have all."""


class Outcome(NamedTuple):
    """One object, and what happened: created, configured, unchanged, serverside-applied; deleted, not found."""

    action: str
    object: Object
    manifest: Manifest
    dry_run: bool = False

    def __str__(self) -> str:
        """`deployment.apps/web created`."""
        return f"{self.manifest.label} {self.action}{' (server dry run)' if self.dry_run else ''}"

    def __repr__(self) -> str:
        return f"<Outcome {self}>"


class Outcomes(Sequence[Outcome]):
    """What happened, in the order it did. Immutable."""

    def __init__(self, outcomes: Iterable[Outcome] = ()) -> None:
        self._outcomes = tuple(outcomes)

    @property
    def objects(self) -> list[Any]:
        """The objects as the server keeps them now; of a deletion as they were given."""
        return [outcome.object for outcome in self._outcomes]

    @property
    def counts(self) -> dict[str, int]:
        """How many objects each thing happened to: `{"created": 3, "unchanged": 1}`."""
        return dict(Counter(outcome.action for outcome in self._outcomes))

    @property
    def changed(self) -> bool:
        """Whether anything is different from before, as far as could be seen."""
        return any(outcome.action not in (UNCHANGED, ABSENT, UNCHECKED) for outcome in self._outcomes)

    def __len__(self) -> int:
        return len(self._outcomes)

    @overload
    def __getitem__(self, index: int) -> Outcome: ...
    @overload
    def __getitem__(self, index: slice) -> Outcomes: ...
    def __getitem__(self, index: int | slice) -> Outcome | Outcomes:
        return Outcomes(self._outcomes[index]) if isinstance(index, slice) else self._outcomes[index]

    def __eq__(self, other: object) -> bool:
        return self._outcomes == other._outcomes if isinstance(other, Outcomes) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return "\n".join(map(str, self._outcomes))

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {action}" for action, count in self.counts.items())
        head = f"<Outcomes: {counts or 'nothing'}>"
        more = [f"… and {len(self) - SHOWN} more"] if len(self) > SHOWN else []
        return "\n  ".join([head, *map(str, self._outcomes[:SHOWN]), *more])

    def _repr_html_(self) -> str:
        """The table that notebooks show."""
        head = "".join(f"<th>{title}</th>" for title in ("kind", "namespace", "name", "outcome", "from"))
        rows = "".join(f"<tr>{''.join(f'<td>{html.escape(text)}</td>' for text in _row(each))}</tr>" for each in self)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _row(outcome: Outcome) -> tuple[str, ...]:
    manifest = outcome.manifest
    kind = str(manifest.gvk.group_kind)
    return kind, manifest.namespace, manifest.name, outcome.action, str(manifest.place)
