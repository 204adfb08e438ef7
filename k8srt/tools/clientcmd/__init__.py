"""kubeconfig files: load, merge, resolve, validate, change. Each name is loaded when first touched."""

from typing import TYPE_CHECKING

from k8srt._lazy import lazy_exports

if TYPE_CHECKING:
    from k8srt.tools.clientcmd.changing import UserPersister as UserPersister
    from k8srt.tools.clientcmd.changing import editing as editing
    from k8srt.tools.clientcmd.changing import modify as modify
    from k8srt.tools.clientcmd.changing import modify_config as modify_config
    from k8srt.tools.clientcmd.codec import from_dict as from_dict
    from k8srt.tools.clientcmd.codec import load as load
    from k8srt.tools.clientcmd.codec import load_from_file as load_from_file
    from k8srt.tools.clientcmd.codec import to_dict as to_dict
    from k8srt.tools.clientcmd.codec import write as write
    from k8srt.tools.clientcmd.deferred import DeferredClientConfig as DeferredClientConfig
    from k8srt.tools.clientcmd.deferred import InClusterClientConfig as InClusterClientConfig
    from k8srt.tools.clientcmd.errors import ConfigFileNotFound as ConfigFileNotFound
    from k8srt.tools.clientcmd.errors import ConfigLocked as ConfigLocked
    from k8srt.tools.clientcmd.errors import ContextNotFound as ContextNotFound
    from k8srt.tools.clientcmd.errors import EmptyConfig as EmptyConfig
    from k8srt.tools.clientcmd.errors import InvalidConfig as InvalidConfig
    from k8srt.tools.clientcmd.errors import LoadError as LoadError
    from k8srt.tools.clientcmd.errors import is_configuration_invalid as is_configuration_invalid
    from k8srt.tools.clientcmd.errors import is_context_not_found as is_context_not_found
    from k8srt.tools.clientcmd.errors import is_empty_config as is_empty_config
    from k8srt.tools.clientcmd.files import write_to_file as write_to_file
    from k8srt.tools.clientcmd.loading import build_config_from_flags as build_config_from_flags
    from k8srt.tools.clientcmd.loading import load_config as load_config
    from k8srt.tools.clientcmd.loading import rest_config_from_kubeconfig as rest_config_from_kubeconfig
    from k8srt.tools.clientcmd.merging import merge as merge
    from k8srt.tools.clientcmd.model import AuthInfo as AuthInfo
    from k8srt.tools.clientcmd.model import AuthProviderConfig as AuthProviderConfig
    from k8srt.tools.clientcmd.model import Cluster as Cluster
    from k8srt.tools.clientcmd.model import Context as Context
    from k8srt.tools.clientcmd.model import ExecConfig as ExecConfig
    from k8srt.tools.clientcmd.model import KubeConfig as KubeConfig
    from k8srt.tools.clientcmd.model import Preferences as Preferences
    from k8srt.tools.clientcmd.overrides import Overrides as Overrides
    from k8srt.tools.clientcmd.overrides import flags as flags
    from k8srt.tools.clientcmd.paths import resolve_paths as resolve_paths
    from k8srt.tools.clientcmd.resolve import ClientConfig as ClientConfig
    from k8srt.tools.clientcmd.resolve import terminal_prompt as terminal_prompt
    from k8srt.tools.clientcmd.rules import ConfigAccess as ConfigAccess
    from k8srt.tools.clientcmd.rules import LoadingRules as LoadingRules
    from k8srt.tools.clientcmd.rules import PathOptions as PathOptions
    from k8srt.tools.clientcmd.shaping import flatten_config as flatten_config
    from k8srt.tools.clientcmd.shaping import minify_config as minify_config
    from k8srt.tools.clientcmd.shaping import shorten_config as shorten_config
    from k8srt.tools.clientcmd.validation import confirm_usable as confirm_usable
    from k8srt.tools.clientcmd.validation import validate as validate

_HERE = "k8srt.tools.clientcmd"
_MODULES = {
    "changing": (
        "UserPersister",
        "editing",
        "modify",
        "modify_config",
    ),
    "codec": (
        "from_dict",
        "load",
        "load_from_file",
        "to_dict",
        "write",
    ),
    "deferred": ("DeferredClientConfig", "InClusterClientConfig"),
    "errors": (
        *("ConfigFileNotFound", "ConfigLocked", "ContextNotFound", "EmptyConfig", "InvalidConfig", "LoadError"),
        *("is_configuration_invalid", "is_context_not_found", "is_empty_config"),
    ),
    "files": ("write_to_file",),
    "loading": (
        "build_config_from_flags",
        "load_config",
        "rest_config_from_kubeconfig",
    ),
    "merging": ("merge",),
    "model": (
        "AuthInfo",
        "AuthProviderConfig",
        "Cluster",
        "Context",
        "ExecConfig",
        "KubeConfig",
        "Preferences",
    ),
    "overrides": (
        "Overrides",
        "flags",
    ),
    "paths": ("resolve_paths",),
    "resolve": (
        "ClientConfig",
        "terminal_prompt",
    ),
    "rules": (
        "ConfigAccess",
        "LoadingRules",
        "PathOptions",
    ),
    "shaping": (
        "flatten_config",
        "minify_config",
        "shorten_config",
    ),
    "validation": (
        "confirm_usable",
        "validate",
    ),
}
__getattr__, __dir__ = lazy_exports(
    __name__, {name: f"{_HERE}.{module}" for module, names in _MODULES.items() for name in names}
)
