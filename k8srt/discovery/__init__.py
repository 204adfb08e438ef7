"""What a server serves: asked for, and kept. Each name is loaded when first touched."""

from typing import TYPE_CHECKING

from k8srt._lazy import lazy_exports

if TYPE_CHECKING:
    from k8srt.discovery.client import DiscoveryClient as DiscoveryClient
    from k8srt.discovery.disk import CachedDiscoveryClient as CachedDiscoveryClient
    from k8srt.discovery.disk import cache_dir_for_host as cache_dir_for_host
    from k8srt.discovery.memory import MemCacheClient as MemCacheClient
    from k8srt.discovery.openapi import OpenAPIV3 as OpenAPIV3
    from k8srt.discovery.served import Discovery as Discovery
    from k8srt.discovery.served import Found as Found
    from k8srt.discovery.version import VersionInfo as VersionInfo

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "CachedDiscoveryClient": "k8srt.discovery.disk",
        "Discovery": "k8srt.discovery.served",
        "DiscoveryClient": "k8srt.discovery.client",
        "Found": "k8srt.discovery.served",
        "MemCacheClient": "k8srt.discovery.memory",
        "OpenAPIV3": "k8srt.discovery.openapi",
        "VersionInfo": "k8srt.discovery.version",
        "cache_dir_for_host": "k8srt.discovery.disk",
    },
)
