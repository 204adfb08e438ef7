"""What names, labels and keys may look like, and what a server says when they do not.

Each `…_errors` function returns messages, worded as an API server words them; an empty list means the text is fine.
They're pure; `generate_name` throws dice. Contract: MACH-06, MACH-24.
"""

from __future__ import annotations

import random
import re

_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = f"({_QUALIFIED})?"
_DNS_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_DNS_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_DNS_LABEL}(\.{_DNS_LABEL})*"

_QUALIFIED_TEXT = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
)
_VALUE_TEXT = f"a valid label must be an empty string or {_QUALIFIED_TEXT.removeprefix('must ')}"
_DNS_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character"
)
_DNS_1035_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character"
)
_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character"
)

_qualified = re.compile(_QUALIFIED)
_label_value = re.compile(_LABEL_VALUE)
_dns_label = re.compile(_DNS_LABEL)
_dns_1035 = re.compile(_DNS_1035)
_subdomain = re.compile(_SUBDOMAIN)

MAX_LABEL = 63
MAX_SUBDOMAIN = 253

_SUFFIX = 5
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"  # no vowels, nothing that reads like something else


def random_suffix(length: int = _SUFFIX, rng: random.Random | None = None) -> str:
    """The random end of a generated name."""
    return "".join((rng or random).choices(_LETTERS, k=length))


def generate_name(base: str, rng: random.Random | None = None) -> str:
    """A name that nobody else has, most likely: `base`, cut to 58 characters, and a random end of 5."""
    return f"{base[: MAX_LABEL - _SUFFIX]}{random_suffix(_SUFFIX, rng)}"


def too_long(limit: int, unit: str = "characters") -> str:
    """What servers say; of labels, which are counted in `bytes`."""
    return f"must be no more than {limit} {unit}"


def _regex_message(text: str, pattern: str, *examples: str) -> str:
    shown = ",  or ".join(f"'{example}'" for example in examples)
    return f"{text} (e.g. {shown}, regex used for validation is '{pattern}')"


def _check(value: str, limit: int, pattern: re.Pattern[str], message: str, unit: str = "characters") -> list[str]:
    errors = [too_long(limit, unit)] if len(value) > limit else []
    if not pattern.fullmatch(value):
        errors.append(message)
    return errors


def label_value_errors(value: str) -> list[str]:
    """Check a label value: empty, or up to 63 of alphanumerics, `-_.`, alphanumeric at both ends."""
    message = _regex_message(_VALUE_TEXT, _LABEL_VALUE, "MyValue", "my_value", "12345")
    return _check(value, MAX_LABEL, _label_value, message, "bytes")


def dns_label_errors(value: str) -> list[str]:
    """Check an RFC 1123 label, the form of a namespace's name."""
    return _check(value, MAX_LABEL, _dns_label, _regex_message(_DNS_LABEL_TEXT, _DNS_LABEL, "my-name", "123-abc"))


def dns_1035_label_errors(value: str) -> list[str]:
    """Check an RFC 1035 label, the form of a CRD's names."""
    return _check(value, MAX_LABEL, _dns_1035, _regex_message(_DNS_1035_TEXT, _DNS_1035, "my-name", "abc-123"))


def dns_subdomain_errors(value: str) -> list[str]:
    """Check an RFC 1123 subdomain, the form of most objects' names."""
    return _check(value, MAX_SUBDOMAIN, _subdomain, _regex_message(_SUBDOMAIN_TEXT, _SUBDOMAIN, "example.com"))


def qualified_name_errors(value: str) -> list[str]:
    """Check a label or annotation key: an optional subdomain and `/`, then a name."""
    head, slash, name = value.rpartition("/")
    if "/" in head:
        message = _regex_message(_QUALIFIED_TEXT, _QUALIFIED, "MyName", "my.name", "123-abc")
        return [f"a qualified name {message} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
    return (_prefix_errors(head) if slash else []) + _name_part_errors(name)


def _prefix_errors(prefix: str) -> list[str]:
    if not prefix:
        return ["prefix part must be non-empty"]
    return [f"prefix part {message}" for message in dns_subdomain_errors(prefix)]


def _name_part_errors(name: str) -> list[str]:
    errors = []
    if not name:
        errors.append("name part must be non-empty")
    elif len(name) > MAX_LABEL:
        errors.append(f"name part {too_long(MAX_LABEL, 'bytes')}")
    if not _qualified.fullmatch(name):
        message = _regex_message(_QUALIFIED_TEXT, _QUALIFIED, "MyName", "my.name", "123-abc")
        errors.append(f"name part {message}")
    return errors
