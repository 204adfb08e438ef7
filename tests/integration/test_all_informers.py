"""The informers of every group at once, against the embedded server: all sync, and see what is made."""

from __future__ import annotations

from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.informers import SharedInformerFactory
from k8srt.kubernetes import Clientset
from k8srt.testing.choosing import Server

LIMIT = 50.0


def register_all(factory: SharedInformerFactory, cs: Clientset) -> None:
    """Touch the informer of everything that the server serves and that can be listed and watched."""
    from k8srt.informers.typed._index import GROUPS

    lists = cs.discovery.server_groups_and_resources().resources
    served = {(each.group_version, one.kind) for each in lists for one in each.resources or ()}
    for attribute in GROUPS:
        group = getattr(factory, attribute)
        resources = [name for name in vars(type(group)) if not name.startswith("_")]
        clients = getattr(cs, attribute)
        for name in resources:
            info = getattr(clients, name)().info
            if (info.api_version, info.gvk.kind) in served:  # older servers have the group, and not all of it
                assert getattr(group, name).informer is not None


def test_inf_52_every_resource_that_can_be_listed_and_watched_syncs_and_its_lister_reads(own_server: Server) -> None:
    config = own_server.config.copy()
    config.qps = -1.0
    with Clientset(config) as cs:
        factory = SharedInformerFactory(cs)
        register_all(factory, cs)
        cs.core_v1.config_maps("default").create(ConfigMap(metadata=ObjectMeta(name="seen")))

        with factory:
            synced = factory.wait_for_cache_sync(timeout=LIMIT)

            assert synced.as_error() is None
            assert len(synced) > 40
            assert factory.core_v1.config_maps.lister.get("seen", "default") is not None
            names = {one.metadata.name for one in factory.core_v1.namespaces.lister.list()}
            assert {"default", "kube-system"} <= names
