"""Whatever the fields of a custom resource are called, the names in Python are usable and told apart."""

from __future__ import annotations

import keyword

from hypothesis import given
from hypothesis import strategies as st

from k8srt.codegen import naming

WIRES = st.one_of(st.text(max_size=12), st.from_regex(r"[a-zA-Z$_][a-zA-Z0-9_./-]{0,15}", fullmatch=True))


@given(st.lists(WIRES, unique=True, max_size=12))
def test_every_name_is_an_identifier_that_hides_nothing_and_is_had_once(wires):
    names = naming.field_names(wires, naming.OBJECT_ATTRIBUTES)

    assert names.keys() == set(wires)
    assert len(set(names.values())) == len(wires)
    for name in names.values():
        assert name.isidentifier()
        assert not keyword.iskeyword(name)
        assert not name.startswith("_")
        assert name not in naming.SHADOWING | naming.OBJECT_ATTRIBUTES


@given(WIRES)
def test_class_names_are_identifiers(wire):
    name = naming.class_name(wire)

    assert name.isidentifier()
    assert not keyword.iskeyword(name)
