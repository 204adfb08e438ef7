"""Several kubeconfigs as one.

Contract: KCFG-04, KCFG-05.
"""

from __future__ import annotations

from collections.abc import Sequence

from k8srt.tools.clientcmd.model import KubeConfig, Preferences


def merge(configs: Sequence[KubeConfig]) -> KubeConfig:
    """Merge, the first being the most important: entries by name and whole, scalars where they are not empty.

    The result has mappings of its own; the entries in it are those that were given.
    """
    merged = KubeConfig()
    colors = False
    preferences: dict[str, object] = {}
    unknown: dict[str, object] = {}
    for config in configs:
        for name in ("clusters", "users", "contexts", "extensions", "unknown"):
            setattr(merged, name, {**getattr(merged, name), **_new(getattr(config, name), getattr(merged, name))})
        preferences.update(_new(dict(config.preferences.extensions), preferences))
        unknown.update(_new(dict(config.preferences.unknown), unknown))
        colors = colors or config.preferences.colors
        merged.current_context = merged.current_context or config.current_context
    merged.preferences = Preferences(colors, preferences, unknown)
    return merged


def _new(given: dict[str, object], there: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in given.items() if name not in there}
