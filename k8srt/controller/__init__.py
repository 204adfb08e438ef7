"""The controller runtime: managers, controllers, and what they are made of. Each name is loaded when first touched."""

from typing import TYPE_CHECKING

from k8srt._lazy import lazy_exports

if TYPE_CHECKING:
    from k8srt.controller.adapting import as_reconciler as as_reconciler
    from k8srt.controller.builder import Builder as Builder
    from k8srt.controller.builder import new_controller as new_controller
    from k8srt.controller.builder import new_controller_managed_by as new_controller_managed_by
    from k8srt.controller.builder import new_unmanaged_controller as new_unmanaged_controller
    from k8srt.controller.cache import Cache as Cache
    from k8srt.controller.client import Client as Client
    from k8srt.controller.context import Context as Context
    from k8srt.controller.context import ReconcileEnded as ReconcileEnded
    from k8srt.controller.context import ReconcileTimeout as ReconcileTimeout
    from k8srt.controller.context import StopRequested as StopRequested
    from k8srt.controller.context import current as current
    from k8srt.controller.context import reconcile_id_from_context as reconcile_id_from_context
    from k8srt.controller.controller import Controller as Controller
    from k8srt.controller.filters import ABSENT as ABSENT
    from k8srt.controller.filters import PRESENT as PRESENT
    from k8srt.controller.filters import field as field
    from k8srt.controller.handler import EnqueueForObject as EnqueueForObject
    from k8srt.controller.handler import EnqueueForOwner as EnqueueForOwner
    from k8srt.controller.handler import EnqueueMapped as EnqueueMapped
    from k8srt.controller.manager import Manager as Manager
    from k8srt.controller.options import Options as Options
    from k8srt.controller.reasons import Reason as Reason
    from k8srt.controller.registry import Registry as Registry
    from k8srt.controller.request import Request as Request
    from k8srt.controller.request import Result as Result
    from k8srt.controller.request import RetryAfter as RetryAfter
    from k8srt.controller.request import TerminalError as TerminalError
    from k8srt.controller.retries import Retry as Retry

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "ABSENT": "k8srt.controller.filters",
        "Builder": "k8srt.controller.builder",
        "Cache": "k8srt.controller.cache",
        "Client": "k8srt.controller.client",
        "Context": "k8srt.controller.context",
        "Controller": "k8srt.controller.controller",
        "EnqueueForObject": "k8srt.controller.handler",
        "EnqueueForOwner": "k8srt.controller.handler",
        "EnqueueMapped": "k8srt.controller.handler",
        "Manager": "k8srt.controller.manager",
        "Options": "k8srt.controller.options",
        "PRESENT": "k8srt.controller.filters",
        "Reason": "k8srt.controller.reasons",
        "ReconcileEnded": "k8srt.controller.context",
        "ReconcileTimeout": "k8srt.controller.context",
        "Registry": "k8srt.controller.registry",
        "Request": "k8srt.controller.request",
        "Result": "k8srt.controller.request",
        "Retry": "k8srt.controller.retries",
        "RetryAfter": "k8srt.controller.request",
        "StopRequested": "k8srt.controller.context",
        "TerminalError": "k8srt.controller.request",
        "as_reconciler": "k8srt.controller.adapting",
        "current": "k8srt.controller.context",
        "field": "k8srt.controller.filters",
        "new_controller": "k8srt.controller.builder",
        "new_controller_managed_by": "k8srt.controller.builder",
        "new_unmanaged_controller": "k8srt.controller.builder",
        "reconcile_id_from_context": "k8srt.controller.context",
    },
)
