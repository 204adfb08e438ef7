"""Names: from the wire to Python, and back."""

from __future__ import annotations

import pytest

from k8srt.apimachinery.model import Struct, camel
from k8srt.apimachinery.object import Object
from k8srt.codegen import naming


@pytest.mark.parametrize(
    ("wire", "name"),
    [
        ("nodeName", "node_name"),
        ("podIP", "pod_ip"),
        ("hostIPs", "host_ips"),
        ("clusterIPs", "cluster_ips"),
        ("containerID", "container_id"),
        ("externalID", "external_id"),
        ("fsGroup", "fs_group"),
        ("podCIDRs", "pod_cidrs"),
        ("nonResourceURLs", "non_resource_urls"),
        ("targetWWNs", "target_wwns"),
        ("currentCPUUtilizationPercentage", "current_cpu_utilization_percentage"),
        ("insecureSkipTLSVerify", "insecure_skip_tls_verify"),
        ("setHostnameAsFQDN", "set_hostname_as_fqdn"),
        ("serverAddressByClientCIDRs", "server_address_by_client_cidrs"),
        ("openAPIV3Schema", "open_api_v3_schema"),
        ("stubPKCS10Request", "stub_pkcs10_request"),
        ("fieldsV1", "fields_v1"),
        ("ipv4Address", "ipv4_address"),
        ("enableIPv6", "enable_ipv6"),
        ("k8sVersion", "k8s_version"),
        ("sha256", "sha256"),
        ("Port", "port"),
        ("$ref", "ref"),
        ("$schema", "schema"),
        ("x-kubernetes-list-map-keys", "x_kubernetes_list_map_keys"),
        ("app.kubernetes.io/name", "app_kubernetes_io_name"),
    ],
)
def test_a_wire_name_becomes_words(wire, name):
    assert naming.field_name(wire) == name


@pytest.mark.parametrize("word", ["from", "continue", "except", "not", "bool", "int", "list", "field"])
def test_reserved_and_shadowing_words_get_an_underscore_and_lead_back_by_rule(word):
    name = naming.field_name(word)

    assert name == f"{word}_"
    assert camel(name) == word


@pytest.mark.parametrize("wire", ["1st", "", "$", "日本"])
def test_any_text_becomes_an_identifier(wire):
    assert naming.field_name(wire).isidentifier()


def test_names_that_come_out_alike_are_told_apart_whatever_their_order():
    wires = ["foo-bar", "fooBar", "FooBar", "foo_bar"]

    names = naming.field_names(wires)

    assert names == naming.field_names(reversed(wires))
    assert names["fooBar"] == "foo_bar"
    assert len(set(names.values())) == 4


def test_attributes_of_the_bases_are_kept_for_them():
    def public(cls):
        return {name for name in dir(cls) if not name.startswith("_")}

    assert public(Struct) <= naming.STRUCT_ATTRIBUTES
    assert public(Object) - {"metadata"} <= naming.OBJECT_ATTRIBUTES
    assert naming.field_name("kind", naming.OBJECT_ATTRIBUTES) == "kind_"


@pytest.mark.parametrize(
    ("kind", "plural", "name"),
    [
        ("ConfigMap", "configmaps", "config_maps"),
        ("NetworkPolicy", "networkpolicies", "network_policies"),
        ("Endpoints", "endpoints", "endpoints"),
        ("CSIDriver", "csidrivers", "csi_drivers"),
        ("APIService", "apiservices", "api_services"),
        ("IPAddress", "ipaddresses", "ip_addresses"),
        ("ServiceCIDR", "servicecidrs", "service_cidrs"),
        ("StorageClass", "storageclasses", "storage_classes"),
        ("Child", "children", "children"),
        ("Foo", "foos", "foos"),
    ],
)
def test_a_resource_is_named_in_the_words_of_its_kind(kind, plural, name):
    assert naming.plural_attribute(kind, plural) == name


@pytest.mark.parametrize(
    ("many", "one"),
    [("Containers", "Container"), ("Policies", "Policy"), ("Addresses", "Address"), ("Status", "Status")],
)
def test_the_items_of_a_list_are_named_in_the_singular(many, one):
    assert naming.singular(many) == one
