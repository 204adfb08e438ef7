"""The controller runtime: managers, controllers, and what they are made of. Each name is loaded when first touched."""

from typing import TYPE_CHECKING

from k8srt._lazy import lazy_exports

if TYPE_CHECKING:
    from k8srt.controller.builder import Builder as Builder
    from k8srt.controller.builder import new_controller as new_controller
    from k8srt.controller.builder import new_controller_managed_by as new_controller_managed_by
    from k8srt.controller.builder import new_unmanaged_controller as new_unmanaged_controller
    from k8srt.controller.cache.cache import Cache as Cache
    from k8srt.controller.cache.scopes import KindScope as KindScope
    from k8srt.controller.cache.scopes import Scope as Scope
    from k8srt.controller.cache.scopes import transform_strip_managed_fields as transform_strip_managed_fields
    from k8srt.controller.changes.essence import Change as Change
    from k8srt.controller.client.applying import Ensured as Ensured
    from k8srt.controller.client.client import Client as Client
    from k8srt.controller.client.patches import merge_from as merge_from
    from k8srt.controller.client.patches import strategic_merge_from as strategic_merge_from
    from k8srt.controller.client.settings import dry_run as dry_run
    from k8srt.controller.client.settings import namespaced as namespaced
    from k8srt.controller.client.settings import with_field_owner as with_field_owner
    from k8srt.controller.client.settings import with_field_validation as with_field_validation
    from k8srt.controller.client.writing import Written as Written
    from k8srt.controller.client.writing import create_or_patch as create_or_patch
    from k8srt.controller.client.writing import create_or_update as create_or_update
    from k8srt.controller.cluster import Cluster as Cluster
    from k8srt.controller.context import Context as Context
    from k8srt.controller.context import ReconcileEnded as ReconcileEnded
    from k8srt.controller.context import ReconcileTimeout as ReconcileTimeout
    from k8srt.controller.context import StopRequested as StopRequested
    from k8srt.controller.context import current as current
    from k8srt.controller.context import reconcile_id_from_context as reconcile_id_from_context
    from k8srt.controller.controller import Controller as Controller
    from k8srt.controller.dependents.dependent import Dependent as Dependent
    from k8srt.controller.dependents.external import ExternalDependent as ExternalDependent
    from k8srt.controller.dependents.state import DependentResult as DependentResult
    from k8srt.controller.dependents.state import DependentState as DependentState
    from k8srt.controller.dependents.workflow import Workflow as Workflow
    from k8srt.controller.dependents.workflow import WorkflowFailed as WorkflowFailed
    from k8srt.controller.failures import KeyMoved as KeyMoved
    from k8srt.controller.failures import LeaderElectionLost as LeaderElectionLost
    from k8srt.controller.failures import ShutdownTimeout as ShutdownTimeout
    from k8srt.controller.filters import ABSENT as ABSENT
    from k8srt.controller.filters import PRESENT as PRESENT
    from k8srt.controller.filters import field as field
    from k8srt.controller.finalizers import Finalized as Finalized
    from k8srt.controller.finalizers import Finalizers as Finalizers
    from k8srt.controller.finalizers import add_finalizer as add_finalizer
    from k8srt.controller.finalizers import contains_finalizer as contains_finalizer
    from k8srt.controller.finalizers import remove_finalizer as remove_finalizer
    from k8srt.controller.finalizers import with_finalizer as with_finalizer
    from k8srt.controller.handler import EnqueueForObject as EnqueueForObject
    from k8srt.controller.handler import EnqueueForOwner as EnqueueForOwner
    from k8srt.controller.handler import EnqueueMapped as EnqueueMapped
    from k8srt.controller.isolation.failures import ProcessDied as ProcessDied
    from k8srt.controller.isolation.failures import RemoteFailure as RemoteFailure
    from k8srt.controller.kinds import metadata_only as metadata_only
    from k8srt.controller.manager.manager import Manager as Manager
    from k8srt.controller.manager.office import Election as Election
    from k8srt.controller.metrics.scraping import MetricsOptions as MetricsOptions
    from k8srt.controller.options import Options as Options
    from k8srt.controller.ownership import AlreadyOwnedError as AlreadyOwnedError
    from k8srt.controller.ownership import has_controller_reference as has_controller_reference
    from k8srt.controller.ownership import has_owner_reference as has_owner_reference
    from k8srt.controller.ownership import remove_controller_reference as remove_controller_reference
    from k8srt.controller.ownership import remove_owner_reference as remove_owner_reference
    from k8srt.controller.ownership import set_controller_reference as set_controller_reference
    from k8srt.controller.ownership import set_owner_reference as set_owner_reference
    from k8srt.controller.reasons import Reason as Reason
    from k8srt.controller.reconciling.adapting import as_reconciler as as_reconciler
    from k8srt.controller.registry import Registry as Registry
    from k8srt.controller.request import Request as Request
    from k8srt.controller.request import Result as Result
    from k8srt.controller.request import RetryAfter as RetryAfter
    from k8srt.controller.request import TerminalError as TerminalError
    from k8srt.controller.retries import Retry as Retry
    from k8srt.controller.serving.server import HTTPServer as HTTPServer
    from k8srt.controller.sharding.ring import Ring as Ring
    from k8srt.controller.signals import setup_signal_handler as setup_signal_handler
    from k8srt.controller.sources.channel import Channel as Channel
    from k8srt.controller.sources.channel import Feed as Feed
    from k8srt.controller.sources.timed import Poll as Poll
    from k8srt.controller.sources.timed import Schedule as Schedule
    from k8srt.controller.sources.trigger import HTTPTrigger as HTTPTrigger
    from k8srt.controller.timers.making import new_daemon as new_daemon
    from k8srt.controller.timers.making import new_timer as new_timer

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "ABSENT": "k8srt.controller.filters",
        "AlreadyOwnedError": "k8srt.controller.ownership",
        "Builder": "k8srt.controller.builder",
        "Cache": "k8srt.controller.cache.cache",
        "Change": "k8srt.controller.changes.essence",
        "Channel": "k8srt.controller.sources.channel",
        "Client": "k8srt.controller.client.client",
        "Cluster": "k8srt.controller.cluster",
        "Context": "k8srt.controller.context",
        "Controller": "k8srt.controller.controller",
        "Dependent": "k8srt.controller.dependents.dependent",
        "DependentResult": "k8srt.controller.dependents.state",
        "DependentState": "k8srt.controller.dependents.state",
        "ExternalDependent": "k8srt.controller.dependents.external",
        "EnqueueForObject": "k8srt.controller.handler",
        "EnqueueForOwner": "k8srt.controller.handler",
        "EnqueueMapped": "k8srt.controller.handler",
        "Ensured": "k8srt.controller.client.applying",
        "Feed": "k8srt.controller.sources.channel",
        "Finalized": "k8srt.controller.finalizers",
        "Finalizers": "k8srt.controller.finalizers",
        "HTTPTrigger": "k8srt.controller.sources.trigger",
        "KeyMoved": "k8srt.controller.failures",
        "KindScope": "k8srt.controller.cache.scopes",
        "Election": "k8srt.controller.manager.office",
        "HTTPServer": "k8srt.controller.serving.server",
        "LeaderElectionLost": "k8srt.controller.failures",
        "Manager": "k8srt.controller.manager.manager",
        "MetricsOptions": "k8srt.controller.metrics.scraping",
        "ShutdownTimeout": "k8srt.controller.failures",
        "setup_signal_handler": "k8srt.controller.signals",
        "Options": "k8srt.controller.options",
        "PRESENT": "k8srt.controller.filters",
        "Poll": "k8srt.controller.sources.timed",
        "ProcessDied": "k8srt.controller.isolation.failures",
        "Reason": "k8srt.controller.reasons",
        "ReconcileEnded": "k8srt.controller.context",
        "ReconcileTimeout": "k8srt.controller.context",
        "Registry": "k8srt.controller.registry",
        "RemoteFailure": "k8srt.controller.isolation.failures",
        "Request": "k8srt.controller.request",
        "Result": "k8srt.controller.request",
        "Retry": "k8srt.controller.retries",
        "RetryAfter": "k8srt.controller.request",
        "Ring": "k8srt.controller.sharding.ring",
        "Schedule": "k8srt.controller.sources.timed",
        "Scope": "k8srt.controller.cache.scopes",
        "StopRequested": "k8srt.controller.context",
        "TerminalError": "k8srt.controller.request",
        "Workflow": "k8srt.controller.dependents.workflow",
        "WorkflowFailed": "k8srt.controller.dependents.workflow",
        "Written": "k8srt.controller.client.writing",
        "add_finalizer": "k8srt.controller.finalizers",
        "as_reconciler": "k8srt.controller.reconciling.adapting",
        "contains_finalizer": "k8srt.controller.finalizers",
        "create_or_patch": "k8srt.controller.client.writing",
        "create_or_update": "k8srt.controller.client.writing",
        "current": "k8srt.controller.context",
        "dry_run": "k8srt.controller.client.settings",
        "field": "k8srt.controller.filters",
        "has_controller_reference": "k8srt.controller.ownership",
        "has_owner_reference": "k8srt.controller.ownership",
        "merge_from": "k8srt.controller.client.patches",
        "metadata_only": "k8srt.controller.kinds",
        "namespaced": "k8srt.controller.client.settings",
        "new_controller": "k8srt.controller.builder",
        "new_controller_managed_by": "k8srt.controller.builder",
        "new_daemon": "k8srt.controller.timers.making",
        "new_timer": "k8srt.controller.timers.making",
        "new_unmanaged_controller": "k8srt.controller.builder",
        "reconcile_id_from_context": "k8srt.controller.context",
        "remove_controller_reference": "k8srt.controller.ownership",
        "remove_finalizer": "k8srt.controller.finalizers",
        "remove_owner_reference": "k8srt.controller.ownership",
        "set_controller_reference": "k8srt.controller.ownership",
        "set_owner_reference": "k8srt.controller.ownership",
        "strategic_merge_from": "k8srt.controller.client.patches",
        "transform_strip_managed_fields": "k8srt.controller.cache.scopes",
        "with_field_owner": "k8srt.controller.client.settings",
        "with_field_validation": "k8srt.controller.client.settings",
        "with_finalizer": "k8srt.controller.finalizers",
    },
)
