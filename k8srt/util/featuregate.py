"""Switches for what is new: each has a default, and an environment variable that overrides it.

    gates = FeatureGates({"WatchListClient": Feature(default=True)})
    gates.enabled("WatchListClient")        # KUBE_FEATURE_WatchListClient=false switches it off

Contract: CLI-58.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

log = logging.getLogger(__name__)

PREFIX = "KUBE_FEATURE_"


@dataclass(frozen=True, slots=True)
class Feature:
    """What is known of one switch. A locked one keeps its default, whatever anybody says."""

    default: bool
    stage: Literal["ALPHA", "BETA", "GA", "DEPRECATED"] = "ALPHA"
    locked: bool = False


class FeatureGates:
    """A set of switches. Thread-safe. The environment is read once for each, when it is first asked for."""

    def __init__(self, features: Mapping[str, Feature], environ: Mapping[str, str] | None = None) -> None:
        self._features = dict(features)
        self._environ = os.environ if environ is None else environ
        self._lock = threading.Lock()  # guards the two below
        self._values: dict[str, bool] = {}
        self._replaced: dict[str, bool] = {}

    def enabled(self, name: str) -> bool:
        """Whether a feature is on. Raises KeyError for one that is unknown."""
        feature = self._known(name)
        with self._lock:
            if name in self._replaced:
                return self._replaced[name]
            if name not in self._values:
                self._values[name] = self._read(name, feature)
            return self._values[name]

    @contextmanager
    def replaced(self, **values: bool) -> Iterator[None]:
        """Within the context, features are as given, for all threads; for tests. Raises ValueError for a locked one."""
        for name, value in values.items():
            feature = self._known(name)
            if feature.locked and value != feature.default:
                raise ValueError(f"feature {name} is locked to {feature.default}")
        with self._lock:
            before = self._replaced
            self._replaced = before | values
        try:
            yield
        finally:
            with self._lock:
                self._replaced = before

    def _known(self, name: str) -> Feature:
        try:
            return self._features[name]
        except KeyError:
            raise KeyError(
                f"feature {name!r} is not registered; there are {', '.join(sorted(self._features))}"
            ) from None

    def _read(self, name: str, feature: Feature) -> bool:
        variable = PREFIX + name
        text = self._environ.get(variable)
        if text is None:
            return feature.default
        value = {"true": True, "false": False}.get(text.lower())
        if value is None:
            log.warning("%s=%s is ignored: neither true nor false", variable, text)
            return feature.default
        if feature.locked and value != feature.default:
            log.warning("%s=%s is ignored: the feature is locked to %s", variable, text, feature.default)
            return feature.default
        return value
