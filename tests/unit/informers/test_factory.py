"""Factories of informers, over clients that answer by script."""

from __future__ import annotations

import io
import sys
import threading
import types

import pytest

from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import Node, Pod
from k8srt.apimachinery.schema import GroupVersionResource
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.informers import DynamicSharedInformerFactory, SharedInformerFactory
from k8srt.tools.cache import ListOptions
from k8srt.util.progress import Progress
from k8srt.util.threads import Stop
from tests.unit.tools.cache.scripted import WAIT, Source, pod, pods

PODS = GroupVersionResource("", "v1", "pods")


class Client:
    """Like a ResourceClient."""

    def __init__(self, cls, namespace, source):
        self.object_class, self.namespace, self.source = cls, namespace, source

    def list_records(self, stop=None, **options):
        return self.source.list(ListOptions(**options), stop)

    def watch_records(self, stop=None, **options):
        return self.source.watch(ListOptions(**options), stop)

    def is_watch_list_semantics_unsupported(self):
        return True


class Clients:
    """Like a Clientset, and like a DynamicClient."""

    def __init__(self, *records, hang=False):
        self.made = []
        self.release = threading.Event()
        self.answer = (lambda options, stop: self.release.wait(WAIT) and pods()) if hang else pods(*records)

    def resource(self, cls, namespace=""):
        self.made.append(Client(cls, namespace, Source(lists=[self.answer])))
        return self.made[-1]

    class core_v1:
        @staticmethod
        def pods():
            return Client(Pod, "", None)


@pytest.fixture
def clients():
    return Clients(pod("a"))


def test_inf_52_one_informer_per_type(clients):
    factory = SharedInformerFactory(clients)

    assert factory.resource(Pod).informer is factory.core_v1.pods.informer
    assert factory.informer_for(Pod) is factory.for_resource(PODS).informer
    assert factory.informer_for(Pod) is not factory.informer_for(Deployment)
    assert len(clients.made) == 2


def test_inf_52_a_constructor_may_be_given(clients):
    factory = SharedInformerFactory(clients, 30.0, custom_resync={Pod: 7.0})
    seen = []
    other = SharedInformerFactory(clients).informer_for(Pod)

    assert factory.informer_for(Pod, lambda client, period: seen.append(period) or other) is other
    assert factory.informer_for(Pod) is other
    assert seen == [7.0]


def test_inf_53_start_is_idempotent_and_starts_what_is_new(clients):
    factory = SharedInformerFactory(clients)
    first = factory.informer_for(Pod)
    stop = Stop()
    factory.start(stop)
    factory.start(stop)
    second = factory.informer_for(Node)
    assert not second.is_started()
    factory.start(stop)

    assert factory.wait_for_cache_sync(timeout=WAIT) == {Pod: True, Node: True}
    assert first.indexer.list_keys() == ["default/a"]
    stop.set()
    factory.shutdown()
    assert first.is_stopped()
    assert second.is_stopped()


def test_inf_54_only_touching_registers(clients):
    factory = SharedInformerFactory(clients)
    pods_of_factory = factory.core_v1.pods
    assert factory.informers == {}

    assert repr(pods_of_factory.lister) == "<Lister of pods>"
    assert list(factory.informers) == [Pod]


def test_inf_55_results(clients):
    factory = SharedInformerFactory(clients)
    assert factory.wait_for_cache_sync(timeout=0.0) == {}
    assert factory.wait_for_cache_sync().as_error() is None

    hanging = Clients(hang=True)
    factory = SharedInformerFactory(hanging)
    factory.informer_for(Pod)
    with factory:
        result = factory.wait_for_cache_sync(timeout=0.01)
        assert result == {Pod: False}
        with pytest.raises(TimeoutError, match="failed to sync all caches: Pod"):
            result.raise_for_error()
    hanging.release.set()


def test_inf_56_shutdown_waits_and_forbids_starts(clients, pool):
    factory = SharedInformerFactory(clients)
    factory.shutdown()
    informer = factory.informer_for(Pod)
    factory.start()
    assert not informer.is_started()

    factory = SharedInformerFactory(clients)
    informer = factory.informer_for(Pod)
    stop = Stop()
    factory.start(stop)
    waiters = [pool.submit(factory.shutdown) for _ in range(2)]
    assert factory.wait_for_cache_sync(timeout=WAIT, stop=stop)[Pod]
    assert not any(waiter.done() for waiter in waiters)
    stop.set()
    for waiter in waiters:
        waiter.result(timeout=WAIT)


def test_inf_57_the_namespace_index_is_always_there(clients):
    factory = SharedInformerFactory(clients)
    pods_of_factory = factory.core_v1.pods
    with factory:
        pass
    assert pods_of_factory.informer.indexer.has_index("namespace")


def test_inf_58_namespace_and_tweak(clients):
    def tweak(options):
        options.label_selector = "app=web"

    factory = SharedInformerFactory(clients, namespace="ns1", tweak_list_options=tweak)
    for cls in (Pod, Node):
        factory.informer_for(cls)
    assert [client.namespace for client in clients.made] == ["ns1", ""]

    with factory:
        assert factory.wait_for_cache_sync(timeout=WAIT).as_error() is None
        source = clients.made[0].source
        source.wait(watches=1)
        assert source.listed[0].label_selector == source.watched[0].label_selector == "app=web"


def test_inf_59_an_unknown_resource(clients):
    with pytest.raises(LookupError, match="no informer found for"):
        SharedInformerFactory(clients).for_resource(GroupVersionResource("", "v1", "unknowns"))
    with pytest.raises(AttributeError, match="unknown_v1"):
        SharedInformerFactory(clients).unknown_v1


def test_inf_60_dynamic(clients):
    foos = GroupVersionResource("example.com", "v1", "foos")
    factory = DynamicSharedInformerFactory(clients)
    generic = factory.for_resource(foos)
    assert generic.informer is factory.for_resource(foos).informer
    with factory:
        assert factory.wait_for_cache_sync(timeout=WAIT) == {foos: True}
        found = generic.lister.get("a", "default")

    assert isinstance(found, Unstructured)
    assert found["spec"] == {"nodeName": ""}
    assert str(foos) in generic.informer.name


def test_inf_61_without_a_resync_period_handlers_have_none(clients):
    informer = SharedInformerFactory(clients).informer_for(Pod)

    assert informer.add_event_handler(on_add=print, resync_period=30.0).period == 0.0


def test_groups_of_any_clientset_are_found_by_their_names_there(clients):
    clients.mygroup_v1 = clients.core_v1
    factory = SharedInformerFactory(clients)

    assert factory.mygroup_v1.pods.informer is factory.informer_for(Pod)


def test_a_transform_is_handed_on(clients):
    def transform(obj):
        obj.metadata.labels = {"seen": "yes"}
        return obj

    factory = SharedInformerFactory(clients, transform=transform)
    lister = factory.resource(Pod).lister
    with factory:
        factory.wait_for_cache_sync(timeout=WAIT)
        assert lister.get("a", "default").metadata.labels == {"seen": "yes"}


def test_progress_is_shown():
    out = io.StringIO()
    bar = Progress(2, out)
    bar.step("Pod")
    bar.close()

    assert out.getvalue().splitlines()[-1].endswith("1/2 Pod")


def test_progress_on_a_terminal_is_one_line():
    out = io.StringIO()
    out.isatty = lambda: True
    bar = Progress(1, out)
    bar.step("Pod")
    bar.close()

    assert out.getvalue().count("\n") == 1
    assert out.getvalue().endswith("1/1 Pod\n")


def test_inf_55_waiting_shows_a_bar_without_tqdm(clients, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    factory = SharedInformerFactory(clients)
    factory.resource(Pod).informer
    factory.resource(Node).informer
    with factory:
        assert factory.wait_for_cache_sync(timeout=WAIT, progress=True) == {Pod: True, Node: True}

    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[-2:] for line in lines[1:]] == [["1/2", "Pod"], ["2/2", "Node"]]


def test_inf_55_waiting_shows_a_bar_of_tqdm(clients, monkeypatch):
    calls = []

    class Tqdm:
        def __init__(self, **options):
            calls.append(options["total"])

        def __getattr__(self, name):
            return lambda *args: calls.append((name, *args))

    monkeypatch.setitem(sys.modules, "tqdm", types.SimpleNamespace(tqdm=Tqdm))
    factory = SharedInformerFactory(clients)
    factory.resource(Pod).informer
    with factory:
        factory.wait_for_cache_sync(timeout=WAIT, progress=True)

    assert calls == [1, ("set_postfix_str", "Pod"), ("update", 1), ("close",)]
