"""Feature gates. Contract: CLI-58."""

from __future__ import annotations

import pytest

from k8srt.util.featuregate import Feature, FeatureGates

KNOWN = {
    "Old": Feature(default=True, stage="GA", locked=True),
    "New": Feature(default=False),
    "Usual": Feature(default=True, stage="BETA"),
}


def gates(**environ: str) -> FeatureGates:
    return FeatureGates(KNOWN, {f"KUBE_FEATURE_{name}": value for name, value in environ.items()})


def test_cli_58_a_gate_has_a_default_that_the_environment_overrides():
    assert (gates().enabled("New"), gates().enabled("Usual")) == (False, True)
    assert (gates(New="true").enabled("New"), gates(Usual="False").enabled("Usual")) == (True, False)


def test_cli_58_other_values_are_ignored_with_a_warning(caplog):
    assert gates(New="maybe").enabled("New") is False
    assert "KUBE_FEATURE_New=maybe is ignored" in caplog.text


def test_cli_58_a_locked_gate_keeps_its_default(caplog):
    assert gates(Old="false").enabled("Old") is True
    assert "locked to True" in caplog.text
    with pytest.raises(ValueError, match="feature Old is locked to True"), gates().replaced(Old=False):
        pass


def test_cli_58_the_environment_is_read_once_for_each_gate():
    environ = {"KUBE_FEATURE_New": "true"}
    made = FeatureGates(KNOWN, environ)
    assert made.enabled("New")

    environ["KUBE_FEATURE_New"] = "false"

    assert made.enabled("New")


def test_cli_58_a_test_may_replace_them():
    made = gates()

    with made.replaced(New=True):
        with made.replaced(Usual=False):
            assert (made.enabled("New"), made.enabled("Usual")) == (True, False)
        assert (made.enabled("New"), made.enabled("Usual")) == (True, True)

    assert made.enabled("New") is False


def test_an_unknown_gate_is_an_error_that_names_those_there_are():
    with pytest.raises(KeyError, match="'Nope' is not registered; there are New, Old, Usual"):
        gates().enabled("Nope")
