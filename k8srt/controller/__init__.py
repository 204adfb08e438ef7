"""The controller runtime: managers, controllers, and what they are made of. Each name is loaded when first touched."""

from typing import TYPE_CHECKING

from k8srt._lazy import lazy_exports

if TYPE_CHECKING:
    from k8srt.controller.builder import Builder as Builder
    from k8srt.controller.cache import Cache as Cache
    from k8srt.controller.client import Client as Client
    from k8srt.controller.context import Context as Context
    from k8srt.controller.context import ReconcileTimeout as ReconcileTimeout
    from k8srt.controller.context import StopRequested as StopRequested
    from k8srt.controller.context import current as current
    from k8srt.controller.controller import Controller as Controller
    from k8srt.controller.handler import EnqueueForObject as EnqueueForObject
    from k8srt.controller.handler import EnqueueForOwner as EnqueueForOwner
    from k8srt.controller.handler import EnqueueMapped as EnqueueMapped
    from k8srt.controller.manager import Manager as Manager
    from k8srt.controller.request import Request as Request
    from k8srt.controller.request import Result as Result
    from k8srt.controller.request import RetryAfter as RetryAfter
    from k8srt.controller.request import TerminalError as TerminalError

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "Builder": "k8srt.controller.builder",
        "Cache": "k8srt.controller.cache",
        "Client": "k8srt.controller.client",
        "Context": "k8srt.controller.context",
        "Controller": "k8srt.controller.controller",
        "EnqueueForObject": "k8srt.controller.handler",
        "EnqueueForOwner": "k8srt.controller.handler",
        "EnqueueMapped": "k8srt.controller.handler",
        "Manager": "k8srt.controller.manager",
        "ReconcileTimeout": "k8srt.controller.context",
        "Request": "k8srt.controller.request",
        "Result": "k8srt.controller.request",
        "RetryAfter": "k8srt.controller.request",
        "StopRequested": "k8srt.controller.context",
        "TerminalError": "k8srt.controller.request",
        "current": "k8srt.controller.context",
    },
)
