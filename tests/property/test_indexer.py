"""An indexer does what a dict and a scan would do, whatever is done to it in whatever order."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from k8srt.tools.cache import Indexer

KEYS = st.sampled_from("abcd")
VALUES = st.lists(st.sampled_from(["x", "y", "z"]), max_size=3)
Thing = tuple[str, tuple[str, ...]]


def by_values(thing: Thing) -> tuple[str, ...]:
    return thing[1]


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.indexer: Indexer[Thing] = Indexer(lambda thing: thing[0], {"values": by_values})
        self.model: dict[str, Thing] = {}
        self.extra = 0

    @rule(key=KEYS, values=VALUES)
    def put(self, key: str, values: list[str]) -> None:
        self.model[key] = (key, tuple(values))
        self.indexer.update(self.model[key])

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        self.model.pop(key, None)
        self.indexer.delete((key, ()))

    @rule(things=st.dictionaries(KEYS, VALUES))
    def replace(self, things: dict[str, list[str]]) -> None:
        self.model = {key: (key, tuple(values)) for key, values in things.items()}
        self.indexer.replace(list(self.model.values()), "1")

    @rule()
    def index_more(self) -> None:
        self.extra += 1
        self.indexer.add_indexers({f"extra-{self.extra}": by_values})

    @invariant()
    def agrees(self) -> None:
        assert sorted(self.indexer.list()) == sorted(self.model.values())
        for name in ("values", *(f"extra-{number + 1}" for number in range(self.extra))):
            present = {value for _, values in self.model.values() for value in values}
            assert set(self.indexer.list_index_func_values(name)) == present
            for value in ("x", "y", "z"):
                expected = sorted(key for key, (_, values) in self.model.items() if value in values)
                assert self.indexer.index_keys(name, value) == expected


TestIndexer = Machine.TestCase
TestIndexer.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
