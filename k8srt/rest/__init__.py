"""Requests to an API server. Each name is loaded when first touched."""

from typing import TYPE_CHECKING

from k8srt._lazy import lazy_exports

if TYPE_CHECKING:
    from k8srt.rest.client import RESTClient as RESTClient
    from k8srt.rest.config import Config as Config
    from k8srt.rest.config import ImpersonationConfig as ImpersonationConfig
    from k8srt.rest.config import TLSConfig as TLSConfig
    from k8srt.rest.config import add_user_agent as add_user_agent
    from k8srt.rest.config import anonymous_client_config as anonymous_client_config
    from k8srt.rest.config import copy_config as copy_config
    from k8srt.rest.config import default_user_agent as default_user_agent
    from k8srt.rest.incluster import NotInCluster as NotInCluster
    from k8srt.rest.incluster import in_cluster_config as in_cluster_config
    from k8srt.rest.request import Request as Request
    from k8srt.rest.result import Result as Result
    from k8srt.rest.watch import End as End
    from k8srt.rest.watch import EventStream as EventStream
    from k8srt.rest.watch import WatchStream as WatchStream

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "Config": "k8srt.rest.config",
        "End": "k8srt.rest.watch",
        "EventStream": "k8srt.rest.watch",
        "ImpersonationConfig": "k8srt.rest.config",
        "NotInCluster": "k8srt.rest.incluster",
        "RESTClient": "k8srt.rest.client",
        "Request": "k8srt.rest.request",
        "Result": "k8srt.rest.result",
        "TLSConfig": "k8srt.rest.config",
        "WatchStream": "k8srt.rest.watch",
        "add_user_agent": "k8srt.rest.config",
        "anonymous_client_config": "k8srt.rest.config",
        "copy_config": "k8srt.rest.config",
        "default_user_agent": "k8srt.rest.config",
        "in_cluster_config": "k8srt.rest.incluster",
    },
)
