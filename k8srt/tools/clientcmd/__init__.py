"""kubeconfig files: load, merge, resolve, validate. Each name is loaded when first touched."""

from typing import TYPE_CHECKING

from k8srt._lazy import lazy_exports

if TYPE_CHECKING:
    from k8srt.tools.clientcmd.codec import load as load
    from k8srt.tools.clientcmd.codec import load_from_file as load_from_file
    from k8srt.tools.clientcmd.errors import ContextNotFound as ContextNotFound
    from k8srt.tools.clientcmd.errors import EmptyConfig as EmptyConfig
    from k8srt.tools.clientcmd.errors import InvalidConfig as InvalidConfig
    from k8srt.tools.clientcmd.errors import LoadError as LoadError
    from k8srt.tools.clientcmd.errors import is_configuration_invalid as is_configuration_invalid
    from k8srt.tools.clientcmd.errors import is_context_not_found as is_context_not_found
    from k8srt.tools.clientcmd.errors import is_empty_config as is_empty_config
    from k8srt.tools.clientcmd.loading import build_config_from_flags as build_config_from_flags
    from k8srt.tools.clientcmd.loading import load_config as load_config
    from k8srt.tools.clientcmd.loading import rest_config_from_kubeconfig as rest_config_from_kubeconfig
    from k8srt.tools.clientcmd.model import AuthInfo as AuthInfo
    from k8srt.tools.clientcmd.model import Cluster as Cluster
    from k8srt.tools.clientcmd.model import Context as Context
    from k8srt.tools.clientcmd.model import KubeConfig as KubeConfig
    from k8srt.tools.clientcmd.resolve import ClientConfig as ClientConfig
    from k8srt.tools.clientcmd.resolve import Overrides as Overrides
    from k8srt.tools.clientcmd.rules import LoadingRules as LoadingRules
    from k8srt.tools.clientcmd.rules import merge as merge
    from k8srt.tools.clientcmd.validation import confirm_usable as confirm_usable
    from k8srt.tools.clientcmd.validation import validate as validate

_HERE = "k8srt.tools.clientcmd"
_MODULES = {
    "codec": ("load", "load_from_file"),
    "errors": (
        *("ContextNotFound", "EmptyConfig", "InvalidConfig", "LoadError"),
        *("is_configuration_invalid", "is_context_not_found", "is_empty_config"),
    ),
    "loading": ("build_config_from_flags", "load_config", "rest_config_from_kubeconfig"),
    "model": ("AuthInfo", "Cluster", "Context", "KubeConfig"),
    "resolve": ("ClientConfig", "Overrides"),
    "rules": ("LoadingRules", "merge"),
    "validation": ("confirm_usable", "validate"),
}
__getattr__, __dir__ = lazy_exports(
    __name__, {name: f"{_HERE}.{module}" for module, names in _MODULES.items() for name in names}
)
