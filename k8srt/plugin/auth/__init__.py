"""Providers of tokens that a kubeconfig names under `auth-provider`: those that are built in, and your own."""

from typing import TYPE_CHECKING

from k8srt._lazy import lazy_exports

if TYPE_CHECKING:
    from k8srt.plugin.auth.registry import Answer as Answer
    from k8srt.plugin.auth.registry import AuthProvider as AuthProvider
    from k8srt.plugin.auth.registry import Output as Output
    from k8srt.plugin.auth.registry import ProviderContext as ProviderContext
    from k8srt.plugin.auth.registry import Token as Token
    from k8srt.plugin.auth.registry import register as register
    from k8srt.plugin.auth.registry import registered as registered

_NAMES = ("Answer", "AuthProvider", "Output", "ProviderContext", "Token", "register", "registered")
__getattr__, __dir__ = lazy_exports(__name__, dict.fromkeys(_NAMES, "k8srt.plugin.auth.registry"))
