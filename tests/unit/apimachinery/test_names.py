"""Names: what they may look like, and how they are made up. Contract: MACH-24."""

from __future__ import annotations

import random

import pytest

from k8srt.apimachinery import names


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (names.dns_label_errors, ["a", "0a-b", "x" * 63], ["", "A", "-a", "a-", "a.b", "x" * 64]),
        (names.dns_1035_label_errors, ["a", "a-0"], ["", "0a", "a-", "x" * 64]),
        (names.dns_subdomain_errors, ["a", "a.b", ("x" * 49 + ".") * 5 + "xyz"], ["", "a..b", ".a", "a_b", "x" * 254]),
    ],
)
def test_mach_24_labels_have_up_to_63_characters_and_subdomains_up_to_253(check, good, bad):
    assert [name for name in good if check(name)] == []
    assert [name for name in bad if not check(name)] == []


def test_mach_24_a_generated_name_is_the_base_cut_to_58_characters_and_five_at_random():
    rng = random.Random(1)

    made = {names.generate_name("web-", rng) for _ in range(200)}

    assert len(made) == 200
    assert all(name.startswith("web-") and len(name) == 9 for name in made)
    assert set("".join(name[4:] for name in made)) <= set("bcdfghjklmnpqrstvwxz2456789")
    assert names.generate_name("x" * 100, rng)[:58] == "x" * 58
    assert len(names.generate_name("x" * 100)) == 63
