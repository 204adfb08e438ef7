"""From the names on the wire to names in Python, and back.

Wire names are camelCase with acronyms in capitals (`podIP`, `clusterIPs`, `openAPIV3Schema`); in custom resources they
can be any text at all. A Python name is made by rule; where the rule of the models (snake_case to camelCase) doesn't
lead back from it, the generated field carries its wire name, so that nothing has to be guessed at run time.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Iterable

from k8srt.apimachinery.model import camel

# What stands in annotations or is called in class bodies of generated modules: a member of that name would hide it.
SHADOWING = frozenset({"bool", "bytes", "dict", "field", "float", "int", "list", "str", "unset"})

# Attributes of the library's bases, kept for them. A test holds these against the bases themselves.
STRUCT_ATTRIBUTES = frozenset({"from_dict", "to_dict"})
OBJECT_ATTRIBUTES = STRUCT_ATTRIBUTES | frozenset(
    {
        "api_version",
        "become",
        "copy",
        "decode",
        "encode",
        "from_record",
        "from_yaml",
        "gvk",
        "held_parts",
        "kind",
        "mro",
        "to_record",
    }
    | {"to_yaml"}
)

# Words whose capitals and digits no rule takes apart rightly.
_WORDS = {"APIV3": "api_v3", "PKCS10": "pkcs10", "IPv4": "ipv4", "IPv6": "ipv6", "K8s": "k8s", "k8s": "k8s"}

_WORD = re.compile(
    "|".join(_WORDS)
    + r"""
    |[A-Z]{2,}s(?=[A-Z0-9_]|$)      # a plural acronym: IPs, URLs, CIDRs
    |[A-Z]+\d*(?=[A-Z][a-z])        # an acronym before a word: CPU|Utilization
    |[A-Z]?[a-z]+\d*                # a word
    |[A-Z]+\d*                      # an acronym at the end: podIP
    |\d+
    """,
    re.VERBOSE,
)


def snake_case(wire: str) -> str:
    """`podIP` → "pod_ip", `x-kubernetes-list-type` → "x_kubernetes_list_type", `$ref` → "ref"."""
    words = (_WORDS.get(word, word.lower()) for word in _WORD.findall(wire))
    return "_".join(words)


def field_name(wire: str, reserved: Collection[str] = ()) -> str:
    """The Python name of one field; a reserved word and each name in `reserved` gets a trailing underscore."""
    name = snake_case(wire) or "field"
    if name[0].isdigit():
        name = f"n{name}"
    if keyword.iskeyword(name) or name in SHADOWING or name in reserved:
        name += "_"
    return name


def field_names(wires: Iterable[str], reserved: Collection[str] = ()) -> dict[str, str]:
    """Wire name → Python name for the fields of one class: unique, and the same whatever the order of `wires`.

    Of several that come out alike (`fooBar` and `foo-bar`), the one that leads back by rule keeps the plain name.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for wire in sorted(wires, key=lambda wire: (camel(field_name(wire, reserved)) != wire, wire)):
        base = name = field_name(wire, reserved)
        number = 2
        while name in taken:
            name, number = f"{base.rstrip('_')}_{number}", number + 1
        taken.add(name)
        names[wire] = name
    return names


def class_name(text: str) -> str:
    """A class name from a wire name or several words: `podTemplate` → "PodTemplate", `x-y` → "XY", `IPs` → "IPs"."""
    parts = re.split(r"[^A-Za-z0-9]+", text)
    name = "".join(part[:1].upper() + part[1:] for part in parts)
    if not name or name[0].isdigit():
        name = f"N{name}"
    return f"{name}_" if keyword.iskeyword(name) else name


def singular(name: str) -> str:
    """The class name of one item of a list: "Containers" → "Container", "Policies" → "Policy"; "Status" stays."""
    lower = name.lower()
    if lower.endswith(("ss", "us", "is", "series", "species")) or not lower.endswith("s"):
        return name
    if lower.endswith("ies") and len(name) > 4:
        return name[:-3] + "y"
    keeps_e = ("aches", "oses", "ases")  # caches, purposes, databases
    drops_e = ("sses", "shes", "ches", "xes", "tuses")
    if lower.endswith("aliases") or (lower.endswith(drops_e) and not lower.endswith(keeps_e)):
        return name[:-2]
    return name[:-1]


def module_name(text: str) -> str:
    """A module or folder name: `v1alpha1`, "apiextensions", "cert-manager" → "cert_manager"."""
    name = re.sub(r"\W+", "_", text.lower())
    if name[:1].isdigit():
        name = f"n{name}"
    return f"{name}_" if keyword.iskeyword(name) else name


def plural_attribute(kind: str, plural: str) -> str:
    """The client attribute of a resource, with the words that only the kind shows.

    `ConfigMap` with "configmaps" → "config_maps"; `NetworkPolicy` with "networkpolicies" → "network_policies".
    """
    stem = snake_case(kind)
    flat = stem.replace("_", "")
    common = 0
    while common < min(len(flat), len(plural)) and flat[common] == plural[common]:
        common += 1
    from_kind = common >= len(flat) - 2  # else the words of the plural can't be told apart
    name = re.sub(r"\W", "_", _take(stem, common) + plural[common:]) if from_kind else snake_case(plural)
    return f"{name}_" if keyword.iskeyword(name) else name


def _take(stem: str, letters: int) -> str:
    """The beginning of `stem` that holds so many letters, underscores not counted."""
    end = 0
    while letters and end < len(stem):
        letters -= stem[end] != "_"
        end += 1
    return stem[:end]
