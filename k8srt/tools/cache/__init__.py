"""Caches of API objects, and what keeps them up to date. Each name is loaded when first touched.

    keys, forms      under which key, in which form
    store, indexer   what is there
    expiration, mutation_cache, undelta
                     other stores
    queue, fifo, real_fifo
                     what is about to change; plain_fifo and heap for those who queue objects of their own
    listwatch        where it comes from
    reflector        what keeps a queue or store equal to a collection on a server
    consumer, processor, controller, shared_informer
                     what happens when something changes

The picture of it: server → ListWatch → Reflector → DeltaFIFO → Indexer → handlers.
"""

from typing import TYPE_CHECKING

from k8srt._lazy import lazy_exports

if TYPE_CHECKING:
    from k8srt.tools.cache.controller import Controller as Controller
    from k8srt.tools.cache.controller import new_informer as new_informer
    from k8srt.tools.cache.delta import Delta as Delta
    from k8srt.tools.cache.delta import DeltaType as DeltaType
    from k8srt.tools.cache.expiration import ExpirationCache as ExpirationCache
    from k8srt.tools.cache.expiration import new_ttl_store as new_ttl_store
    from k8srt.tools.cache.fifo import DeltaFIFO as DeltaFIFO
    from k8srt.tools.cache.forms import TransformError as TransformError
    from k8srt.tools.cache.handlers import DeletedObject as DeletedObject
    from k8srt.tools.cache.handlers import FilteringResourceEventHandler as FilteringResourceEventHandler
    from k8srt.tools.cache.handlers import Handler as Handler
    from k8srt.tools.cache.handlers import ResourceEventHandlerDetailedFuncs as ResourceEventHandlerDetailedFuncs
    from k8srt.tools.cache.handlers import ResourceEventHandlerFuncs as ResourceEventHandlerFuncs
    from k8srt.tools.cache.handlers import TypedEventHandler as TypedEventHandler
    from k8srt.tools.cache.heap import Heap as Heap
    from k8srt.tools.cache.heap import NotInHeap as NotInHeap
    from k8srt.tools.cache.identity import Identifier as Identifier
    from k8srt.tools.cache.identity import InformerName as InformerName
    from k8srt.tools.cache.indexer import NAMESPACE_INDEX as NAMESPACE_INDEX
    from k8srt.tools.cache.indexer import Indexer as Indexer
    from k8srt.tools.cache.indexer import IndexFuncError as IndexFuncError
    from k8srt.tools.cache.indexer import NoSuchIndex as NoSuchIndex
    from k8srt.tools.cache.indexer import label_index as label_index
    from k8srt.tools.cache.indexer import meta_namespace_index as meta_namespace_index
    from k8srt.tools.cache.indexer import new_indexer as new_indexer
    from k8srt.tools.cache.keys import DeletedFinalStateUnknown as DeletedFinalStateUnknown
    from k8srt.tools.cache.keys import ExplicitKey as ExplicitKey
    from k8srt.tools.cache.keys import NoMetadata as NoMetadata
    from k8srt.tools.cache.keys import ObjectName as ObjectName
    from k8srt.tools.cache.keys import deletion_handling_meta_namespace_key as deletion_handling_meta_namespace_key
    from k8srt.tools.cache.keys import deletion_handling_object_to_name as deletion_handling_object_to_name
    from k8srt.tools.cache.keys import index_func_to_key_func_adapter as index_func_to_key_func_adapter
    from k8srt.tools.cache.keys import meta_namespace_key as meta_namespace_key
    from k8srt.tools.cache.keys import metadata_of as metadata_of
    from k8srt.tools.cache.keys import parse_object_name as parse_object_name
    from k8srt.tools.cache.keys import split_meta_namespace_key as split_meta_namespace_key
    from k8srt.tools.cache.listwatch import ListerWatcher as ListerWatcher
    from k8srt.tools.cache.listwatch import ListOptions as ListOptions
    from k8srt.tools.cache.listwatch import ListWatch as ListWatch
    from k8srt.tools.cache.listwatch import WatchStream as WatchStream
    from k8srt.tools.cache.listwatch import new_filtered_list_watch_from_client as new_filtered_list_watch_from_client
    from k8srt.tools.cache.listwatch import new_list_watch_from_client as new_list_watch_from_client
    from k8srt.tools.cache.metrics import InformerMetricsProvider as InformerMetricsProvider
    from k8srt.tools.cache.metrics import ReflectorMetricsProvider as ReflectorMetricsProvider
    from k8srt.tools.cache.metrics import set_informer_metrics_provider as set_informer_metrics_provider
    from k8srt.tools.cache.metrics import set_reflector_metrics_provider as set_reflector_metrics_provider
    from k8srt.tools.cache.mutation_cache import MutationCache as MutationCache
    from k8srt.tools.cache.plain_fifo import FIFO as FIFO
    from k8srt.tools.cache.processor import Registration as Registration
    from k8srt.tools.cache.queue import Queue as Queue
    from k8srt.tools.cache.real_fifo import RealFIFO as RealFIFO
    from k8srt.tools.cache.reflector import Reflector as Reflector
    from k8srt.tools.cache.reflector import (
        new_namespace_keyed_indexer_and_reflector as new_namespace_keyed_indexer_and_reflector,
    )
    from k8srt.tools.cache.shared_informer import InformerStopped as InformerStopped
    from k8srt.tools.cache.shared_informer import SharedIndexInformer as SharedIndexInformer
    from k8srt.tools.cache.shared_informer import shut_down_event_handler as shut_down_event_handler
    from k8srt.tools.cache.store import Op as Op
    from k8srt.tools.cache.store import Store as Store
    from k8srt.tools.cache.store import TransactionError as TransactionError
    from k8srt.tools.cache.store import new_store as new_store
    from k8srt.tools.cache.undelta import UndeltaStore as UndeltaStore
    from k8srt.tools.cache.waiting import wait_for_cache_sync as wait_for_cache_sync
    from k8srt.tools.cache.waiting import wait_for_named_cache_sync as wait_for_named_cache_sync

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "DeletedFinalStateUnknown": "k8srt.tools.cache.keys",
        "ExplicitKey": "k8srt.tools.cache.keys",
        "NoMetadata": "k8srt.tools.cache.keys",
        "ObjectName": "k8srt.tools.cache.keys",
        "deletion_handling_meta_namespace_key": "k8srt.tools.cache.keys",
        "deletion_handling_object_to_name": "k8srt.tools.cache.keys",
        "index_func_to_key_func_adapter": "k8srt.tools.cache.keys",
        "meta_namespace_key": "k8srt.tools.cache.keys",
        "metadata_of": "k8srt.tools.cache.keys",
        "parse_object_name": "k8srt.tools.cache.keys",
        "split_meta_namespace_key": "k8srt.tools.cache.keys",
        "TransformError": "k8srt.tools.cache.forms",
        "Op": "k8srt.tools.cache.store",
        "Store": "k8srt.tools.cache.store",
        "ExpirationCache": "k8srt.tools.cache.expiration",
        "new_ttl_store": "k8srt.tools.cache.expiration",
        "Heap": "k8srt.tools.cache.heap",
        "NotInHeap": "k8srt.tools.cache.heap",
        "MutationCache": "k8srt.tools.cache.mutation_cache",
        "FIFO": "k8srt.tools.cache.plain_fifo",
        "UndeltaStore": "k8srt.tools.cache.undelta",
        "TransactionError": "k8srt.tools.cache.store",
        "new_store": "k8srt.tools.cache.store",
        "NAMESPACE_INDEX": "k8srt.tools.cache.indexer",
        "IndexFuncError": "k8srt.tools.cache.indexer",
        "Indexer": "k8srt.tools.cache.indexer",
        "NoSuchIndex": "k8srt.tools.cache.indexer",
        "label_index": "k8srt.tools.cache.indexer",
        "meta_namespace_index": "k8srt.tools.cache.indexer",
        "new_indexer": "k8srt.tools.cache.indexer",
        "Delta": "k8srt.tools.cache.delta",
        "DeltaType": "k8srt.tools.cache.delta",
        "Identifier": "k8srt.tools.cache.identity",
        "InformerName": "k8srt.tools.cache.identity",
        "InformerMetricsProvider": "k8srt.tools.cache.metrics",
        "ReflectorMetricsProvider": "k8srt.tools.cache.metrics",
        "set_informer_metrics_provider": "k8srt.tools.cache.metrics",
        "set_reflector_metrics_provider": "k8srt.tools.cache.metrics",
        "Queue": "k8srt.tools.cache.queue",
        "DeltaFIFO": "k8srt.tools.cache.fifo",
        "RealFIFO": "k8srt.tools.cache.real_fifo",
        "ListOptions": "k8srt.tools.cache.listwatch",
        "ListWatch": "k8srt.tools.cache.listwatch",
        "ListerWatcher": "k8srt.tools.cache.listwatch",
        "WatchStream": "k8srt.tools.cache.listwatch",
        "new_filtered_list_watch_from_client": "k8srt.tools.cache.listwatch",
        "new_list_watch_from_client": "k8srt.tools.cache.listwatch",
        "Reflector": "k8srt.tools.cache.reflector",
        "new_namespace_keyed_indexer_and_reflector": "k8srt.tools.cache.reflector",
        "DeletedObject": "k8srt.tools.cache.handlers",
        "FilteringResourceEventHandler": "k8srt.tools.cache.handlers",
        "Handler": "k8srt.tools.cache.handlers",
        "ResourceEventHandlerDetailedFuncs": "k8srt.tools.cache.handlers",
        "ResourceEventHandlerFuncs": "k8srt.tools.cache.handlers",
        "TypedEventHandler": "k8srt.tools.cache.handlers",
        "Registration": "k8srt.tools.cache.processor",
        "Controller": "k8srt.tools.cache.controller",
        "new_informer": "k8srt.tools.cache.controller",
        "wait_for_cache_sync": "k8srt.tools.cache.waiting",
        "wait_for_named_cache_sync": "k8srt.tools.cache.waiting",
        "InformerStopped": "k8srt.tools.cache.shared_informer",
        "SharedIndexInformer": "k8srt.tools.cache.shared_informer",
        "shut_down_event_handler": "k8srt.tools.cache.shared_informer",
    },
)
