"""Rules of names: what a name, a label, an annotation key, a finalizer may look like, and what is said if not."""

from __future__ import annotations

import re
from collections.abc import Callable

from k8srt.testing.apiserver.failures import Cause, invalid_value

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_1035 = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"

_is_label = re.compile(_LABEL).fullmatch
_is_subdomain = re.compile(_SUBDOMAIN).fullmatch
_is_label_1035 = re.compile(_LABEL_1035).fullmatch
_is_qualified = re.compile(_QUALIFIED).fullmatch
_is_label_value = re.compile(_LABEL_VALUE).fullmatch

SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    f"'{_SUBDOMAIN}')"
)
LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    f"'{_LABEL}')"
)
LABEL_1035_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    f"'{_LABEL_1035}')"
)
_QUALIFIED_TEXT = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    f"'{_QUALIFIED}')"
)
_LABEL_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    f"'{_LABEL_VALUE}')"
)


def _longer_than(limit: int) -> str:
    return f"must be no more than {limit} characters"


def subdomain(name: str) -> list[str]:
    found = [_longer_than(253)] if len(name) > 253 else []
    return found if _is_subdomain(name) else [*found, SUBDOMAIN_TEXT]


def label(name: str) -> list[str]:
    found = [_longer_than(63)] if len(name) > 63 else []
    return found if _is_label(name) else [*found, LABEL_TEXT]


def label_1035(name: str) -> list[str]:
    found = [_longer_than(63)] if len(name) > 63 else []
    return found if _is_label_1035(name) else [*found, LABEL_1035_TEXT]


def service(name: str) -> list[str]:
    if "." in name:
        return ["must not contain dots"]
    return label(name)


def path_segment(name: str) -> list[str]:
    if name in (".", ".."):
        return [f"may not be '{name}'"]
    return [f"may not contain '{char}'" for char in "/%" if char in name]


def cron_job(name: str) -> list[str]:
    return subdomain(name) + ([_longer_than(52)] if len(name) > 52 else [])


RULES: dict[str, Callable[[str], list[str]]] = {
    "subdomain": subdomain,
    "label": label,
    "label-1035": label_1035,
    "service": service,
    "segment": path_segment,
    "cron-job": cron_job,
}


def qualified_name(key: str) -> list[str]:
    """What is wrong with the key of a label or an annotation."""
    prefix, slash, name = key.rpartition("/")
    if "/" in prefix:
        return [f"a valid label key {_QUALIFIED_TEXT}"]
    found = []
    if slash:
        if not prefix:
            found.append("prefix part must be non-empty")
        else:
            found += [f"prefix part {text}" for text in subdomain(prefix)]
    if not name:
        found.append("name part must be non-empty")
    elif len(name) > 63:
        found.append(f"name part {_longer_than(63)}")
    if (name and not _is_qualified(name)) or not name:
        found.append(_QUALIFIED_TEXT)
    return found


def label_value(value: str) -> list[str]:
    found = [_longer_than(63)] if len(value) > 63 else []
    return found if _is_label_value(value) else [*found, _LABEL_VALUE_TEXT]


def label_causes(labels: dict[str, str], path: str) -> list[Cause]:
    causes = []
    for key, value in labels.items():
        causes += [invalid_value(path, key, text) for text in qualified_name(key)]
        causes += [invalid_value(path, value, text) for text in label_value(value)]
    return causes
