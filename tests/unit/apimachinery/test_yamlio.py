from __future__ import annotations

import pytest

from k8srt.apimachinery import yamlio
from k8srt.errors import DecodeError


@pytest.mark.parametrize(
    "text", ["y", "n", "yes", "on", "1", "1.5", "1e3", "12e03", "null", "~", "", "2026-01-02", "0x1f", "a: b"]
)
def test_mach_trap_08_texts_survive_a_round_trip_as_texts(text):
    assert yamlio.load(yamlio.dump({"v": text})) == {"v": text}
    if text in ("y", "n", "1e3"):
        assert f"'{text}'" in yamlio.dump({"v": text})


def test_dates_stay_text():
    assert yamlio.load("at: 2026-01-02T03:04:05Z") == {"at": "2026-01-02T03:04:05Z"}


def test_many_documents_and_empty_ones():
    assert list(yamlio.load_all("a: 1\n---\n---\nb: 2\n")) == [{"a": 1}, {"b": 2}]
    with pytest.raises(DecodeError, match="found 2"):
        yamlio.load("a: 1\n---\nb: 2\n")


def test_a_broken_document_names_the_line():
    with pytest.raises(DecodeError, match="line 2"):
        yamlio.load("a: 1\n b: [\n")
