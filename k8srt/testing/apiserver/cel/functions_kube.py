"""What Kubernetes adds to the language: quantities, URLs, addresses, versions, formats of names."""

from __future__ import annotations

import ipaddress
import re
import urllib.parse
from dataclasses import dataclass
from functools import total_ordering
from typing import Any

from k8srt.apimachinery.quantity import Quantity, QuantityError
from k8srt.testing.apiserver import names
from k8srt.testing.apiserver.cel.failures import EvaluationError
from k8srt.testing.apiserver.cel.overloads import function, method
from k8srt.testing.apiserver.cel.values import NONE, Optional, compare, whole
from k8srt.testing.apiserver.schema_formats import has_format

# ---- quantities


@dataclass(frozen=True, slots=True)
class Amount:
    """A quantity as a value of the language."""

    amount: Quantity
    cel_kind = "Quantity"


def _amount(text: str) -> Amount:
    try:
        return Amount(Quantity(text))
    except QuantityError as err:
        raise EvaluationError(str(err)) from None


@function("quantity", "(string) -> Quantity")
def _quantity(text: str) -> Amount:
    return _amount(text)


@function("isQuantity", "(string) -> bool")
def _is_quantity(text: str) -> bool:
    return _succeeds(_amount, text)


def _succeeds(read: Any, text: str) -> bool:
    try:
        read(text)
    except EvaluationError:
        return False
    return True


@method("sign", "(Quantity) -> int")
def _sign(value: Amount) -> int:
    return value.amount.sign


@method("isInteger", "(Quantity) -> bool")
def _is_integer(value: Amount) -> bool:
    return value.amount.as_int64() is not None


@method("asInteger", "(Quantity) -> int")
def _as_integer(value: Amount) -> int:
    found = value.amount.as_int64()
    if found is None:
        raise EvaluationError("cannot convert value to integer")
    return whole(found)


@method("asApproximateFloat", "(Quantity) -> double")
def _as_float(value: Amount) -> float:
    return float(value.amount)


@method("compareTo", "(Quantity, Quantity) -> int")
def _compare(left: Amount, right: Amount) -> int:
    return compare(left.amount, right.amount)


@method("isGreaterThan", "(Quantity, Quantity) -> bool")
def _is_greater(left: Amount, right: Amount) -> bool:
    return left.amount > right.amount


@method("isLessThan", "(Quantity, Quantity) -> bool")
def _is_less(left: Amount, right: Amount) -> bool:
    return left.amount < right.amount


@method("add", "(Quantity, Quantity) -> Quantity", "(Quantity, int) -> Quantity")
def _add(left: Amount, right: Any) -> Amount:
    return Amount(left.amount + (right.amount if isinstance(right, Amount) else Quantity(right)))


@method("sub", "(Quantity, Quantity) -> Quantity", "(Quantity, int) -> Quantity")
def _sub(left: Amount, right: Any) -> Amount:
    return Amount(left.amount - (right.amount if isinstance(right, Amount) else Quantity(right)))


# ---- URLs


@dataclass(frozen=True, slots=True)
class Url:
    parts: urllib.parse.SplitResult
    cel_kind = "URL"


def _read_url(text: str) -> Url:
    try:
        parts = urllib.parse.urlsplit(text)
        parts.port  # noqa: B018  # read for its check
    except ValueError:
        raise EvaluationError(f"URL parse error during conversion from string: {text}") from None
    if not (parts.scheme and (parts.netloc or parts.path)) and not text.startswith("/"):
        raise EvaluationError(f'URL parse error during conversion from string: parse "{text}": invalid URI for request')
    return Url(parts)


@function("url", "(string) -> URL")
def _url(text: str) -> Url:
    return _read_url(text)


@function("isURL", "(string) -> bool")
def _is_url(text: str) -> bool:
    return _succeeds(_read_url, text)


@method("getScheme", "(URL) -> string")
def _scheme(value: Url) -> str:
    return value.parts.scheme


@method("getHost", "(URL) -> string")
def _host(value: Url) -> str:
    return value.parts.netloc.rpartition("@")[2]


@method("getHostname", "(URL) -> string")
def _hostname(value: Url) -> str:
    return value.parts.hostname or ""


@method("getPort", "(URL) -> string")
def _port(value: Url) -> str:
    return str(value.parts.port) if value.parts.port is not None else ""


@method("getEscapedPath", "(URL) -> string")
def _path(value: Url) -> str:
    return urllib.parse.quote(value.parts.path, safe="/%:@!$&'()*+,;=-._~")


@method("getQuery", "(URL) -> map(string, list(string))")
def _query(value: Url) -> dict[str, list[str]]:
    return urllib.parse.parse_qs(value.parts.query, keep_blank_values=True)


# ---- addresses


@dataclass(frozen=True, slots=True)
class Address:
    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    cel_kind = "IP"


@dataclass(frozen=True, slots=True)
class Network:
    interface: ipaddress.IPv4Interface | ipaddress.IPv6Interface
    cel_kind = "CIDR"


def _read_ip(text: str) -> Address:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        raise EvaluationError(f'IP Address "{text}" parse error during conversion from string') from None
    if "%" in text or getattr(found, "ipv4_mapped", None) is not None:
        raise EvaluationError(f'IP Address "{text}" with zone value or mapped is not allowed')
    return Address(found)


def _read_cidr(text: str) -> Network:
    try:
        if "/" not in text:
            raise ValueError(text)
        return Network(ipaddress.ip_interface(text))
    except ValueError:
        raise EvaluationError(f'network address parse error during conversion from string: "{text}"') from None


@function("ip", "(string) -> IP")
def _ip(text: str) -> Address:
    return _read_ip(text)


@function("isIP", "(string) -> bool")
def _is_ip(text: str) -> bool:
    return _succeeds(_read_ip, text)


@function("ip.isCanonical", "(string) -> bool")
def _is_canonical(text: str) -> bool:
    return str(_read_ip(text).address) == text


@function("cidr", "(string) -> CIDR")
def _cidr(text: str) -> Network:
    return _read_cidr(text)


@function("isCIDR", "(string) -> bool")
def _is_cidr(text: str) -> bool:
    return _succeeds(_read_cidr, text)


@method("family", "(IP) -> int")
def _family(value: Address) -> int:
    return value.address.version


@method("isUnspecified", "(IP) -> bool")
def _is_unspecified(value: Address) -> bool:
    return value.address.is_unspecified


@method("isLoopback", "(IP) -> bool")
def _is_loopback(value: Address) -> bool:
    return value.address.is_loopback


@method("isLinkLocalMulticast", "(IP) -> bool")
def _is_link_multicast(value: Address) -> bool:
    network = "224.0.0.0/24" if value.address.version == 4 else "ff02::/16"
    return value.address in ipaddress.ip_network(network)


@method("isLinkLocalUnicast", "(IP) -> bool")
def _is_link_unicast(value: Address) -> bool:
    return value.address.is_link_local


@method("isGlobalUnicast", "(IP) -> bool")
def _is_global(value: Address) -> bool:
    found = value.address
    return not (found.is_multicast or found.is_unspecified or found.is_loopback or found.is_link_local)


@method("ip", "(CIDR) -> IP")
def _ip_of(value: Network) -> Address:
    return Address(value.interface.ip)


@method("masked", "(CIDR) -> CIDR")
def _masked(value: Network) -> Network:
    return Network(ipaddress.ip_interface(str(value.interface.network)))


@method("prefixLength", "(CIDR) -> int")
def _prefix(value: Network) -> int:
    return value.interface.network.prefixlen


@method("containsIP", "(CIDR, IP) -> bool", "(CIDR, string) -> bool")
def _contains_ip(value: Network, other: Any) -> bool:
    address = other if isinstance(other, Address) else _read_ip(other)
    return address.address in value.interface.network


@method("containsCIDR", "(CIDR, CIDR) -> bool", "(CIDR, string) -> bool")
def _contains_cidr(value: Network, other: Any) -> bool:
    inner = (other if isinstance(other, Network) else _read_cidr(other)).interface.network
    outer = value.interface.network
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]


@function("string", "(IP) -> string", "(CIDR) -> string")
def _address_text(value: Any) -> str:
    return str(value.address) if isinstance(value, Address) else str(value.interface)


# ---- versions

_SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?"
)  # fmt: skip
_LOOSE = re.compile(r"v?0*(\d+)(?:\.0*(\d+))?(?:\.0*(\d+))?(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")


@total_ordering
@dataclass(frozen=True)
class Version:
    numbers: tuple[int, int, int]
    before: tuple[str, ...] = ()
    cel_kind = "Semver"

    def _order(self) -> tuple[Any, ...]:
        parts = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in self.before)
        return (self.numbers, not self.before, parts)

    def __lt__(self, other: Version) -> bool:
        return self._order() < other._order()


def _read_version(text: str, normalize: bool = False) -> Version:
    if normalize and (loose := _LOOSE.fullmatch(text)):
        major, minor, patch, before, build = loose.groups()
        text = f"{major}.{minor or 0}.{patch or 0}{before or ''}{build or ''}"
    match = _SEMVER.fullmatch(text)
    if match is None:
        raise EvaluationError(f"semver parse error during conversion from string: {text}")
    major, minor, patch, before, _ = match.groups()
    return Version((int(major), int(minor), int(patch)), tuple(before.split(".")) if before else ())


@function("semver", "(string) -> Semver", "(string, bool) -> Semver")
def _semver(text: str, normalize: bool = False) -> Version:
    return _read_version(text, normalize)


@function("isSemver", "(string) -> bool", "(string, bool) -> bool")
def _is_semver(text: str, normalize: bool = False) -> bool:
    return _succeeds(lambda each: _read_version(each, normalize), text)


@method("major", "(Semver) -> int")
def _major(value: Version) -> int:
    return value.numbers[0]


@method("minor", "(Semver) -> int")
def _minor(value: Version) -> int:
    return value.numbers[1]


@method("patch", "(Semver) -> int")
def _patch(value: Version) -> int:
    return value.numbers[2]


@method("isLessThan", "(Semver, Semver) -> bool")
def _older(left: Version, right: Version) -> bool:
    return left < right


@method("isGreaterThan", "(Semver, Semver) -> bool")
def _newer(left: Version, right: Version) -> bool:
    return left > right


@method("compareTo", "(Semver, Semver) -> int")
def _compare_versions(left: Version, right: Version) -> int:
    return compare(left, right)


# ---- formats

_NAME_RULES = {
    "dns1123Label": names.label,
    "dns1123Subdomain": names.subdomain,
    "dns1035Label": names.label_1035,
    "qualifiedName": names.qualified_name,
    "labelValue": names.label_value,
}
_OTHER = ("uri", "uuid", "byte", "date", "datetime")
_FORMATS = (*_NAME_RULES, *_OTHER)


@dataclass(frozen=True, slots=True)
class Format:
    name: str
    cel_kind = "NamedFormat"


def _format_maker(name: str) -> None:
    @function(f"format.{name}", "() -> NamedFormat")
    def make() -> Format:
        return Format(name)


for _name in _FORMATS:
    _format_maker(_name)


@function("format.named", "(string) -> optional_type(NamedFormat)")
def _named(name: str) -> Optional:
    return Optional(True, Format(name)) if name in _FORMATS else NONE


@method("validate", "(NamedFormat, string) -> optional_type(list(string))")
def _validate(format: Format, text: str) -> Optional:
    complaints = _complaints(format.name, text)
    return Optional(True, complaints) if complaints else NONE


def _complaints(name: str, text: str) -> list[str]:
    if name in _NAME_RULES:
        return list(_NAME_RULES[name](text))
    known = {"datetime": "date-time"}.get(name, name)
    return [] if has_format(text, known) else [f"invalid {name}"]
