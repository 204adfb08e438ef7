"""What a fake was asked: one `Action` a call, immutable, as it went over the wire.

    assert fake.actions.lines() == ["list pods shop/*", "create configmaps shop/cfg"]
    [made] = fake.actions.where("create", ConfigMap)
    assert made.object.data == {"a": "1"}

Contract: CLI-29, CLI-30.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import urlencode

import msgspec

from k8srt.apimachinery import scheme, yamlio
from k8srt.apimachinery.meta import DeleteOptions
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.schema import GroupVersionKind, GroupVersionResource
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.apimachinery.wire import decoder
from k8srt.rest.request import PATCH_TYPES
from k8srt.testing.apiserver.messages import Request
from k8srt.testing.apiserver.requests import RequestInfo

Named = type[Object] | GroupVersionResource | str
"""A resource: its class, its GroupVersionResource, or text: "pods", "pods/status", "deployments.apps", "*"."""

_UNSAID = ("watch", "timeout")  # of every watch, and of how long a caller waits
READS = ("get", "list", "watch")
_PATCHES = {media: name for name, media in PATCH_TYPES.items()}


class Action:
    """One call. `name` is empty for collections; of a create it is the name in the object.

    `object` is what a create, an update or an apply sent: a copy for whoever asks, of the class that stands for its
    kind or `Unstructured`. `patch` is what a patch sent, as plain data. Equal when all of that and the selectors are.
    """

    __slots__ = (
        *("verb", "resource", "subresource", "namespace", "name", "patch_type"),
        *("parameters", "path", "_body"),
    )
    __hash__ = None  # type: ignore[assignment]

    def __init__(
        self,
        verb: str,
        resource: GroupVersionResource,
        *,
        subresource: str = "",
        namespace: str = "",
        name: str = "",
        body: bytes = b"",
        patch_type: str = "",
        parameters: Mapping[str, str] | None = None,
        path: str = "",
    ) -> None:
        self.verb = verb
        self.resource = resource
        self.subresource = subresource
        self.namespace = namespace
        self.name = name or (_name_in(body) if verb == "create" else "")
        self.patch_type = patch_type
        self.parameters = dict(parameters or {})
        self.path = path
        self._body = body

    @classmethod
    def of(
        cls,
        verb: str,
        resource: type[Object] | GroupVersionResource,
        namespace: str = "",
        name: str = "",
        *,
        subresource: str = "",
        object: Object | Mapping[str, Any] | None = None,
        patch: Any = None,
        patch_type: str = "",
        label_selector: str = "",
        field_selector: str = "",
    ) -> Self:
        """An action to compare with. Raises ValueError for a class that is no resource."""
        sent = patch if object is None else object
        body = sent.encode() if isinstance(sent, Object) else b"" if sent is None else msgspec.json.encode(sent)
        return cls(
            verb_of(verb),
            _gvr(resource),
            subresource=subresource,
            namespace=namespace,
            name=name,
            body=body,
            patch_type=patch_type,
            parameters={"labelSelector": label_selector, "fieldSelector": field_selector},
        )

    # ---- what was sent

    @property
    def object(self) -> Any:
        """The object that was sent, or None."""
        if self.verb not in ("create", "update") and self.patch_type != "apply":
            return None
        document = self._plain()
        if not isinstance(document, dict):
            return None
        api_version, kind = str(document.get("apiVersion", "")), str(document.get("kind", ""))
        found = scheme.default.lookup(GroupVersionKind(*_split(api_version), kind))
        return (found or Unstructured).from_dict(document)

    @property
    def patch(self) -> Any:
        """The patch that was sent, as plain data, or None."""
        return self._plain() if self.verb == "patch" else None

    @property
    def delete_options(self) -> DeleteOptions | None:
        """What a deletion was told; None for anything else."""
        if self.verb not in ("delete", "deletecollection"):
            return None
        options: DeleteOptions = decoder(DeleteOptions).decode(self._body or b"{}")
        return options

    @property
    def body(self) -> bytes:
        """What was sent, undecoded."""
        return self._body

    @property
    def label_selector(self) -> str:
        return self.parameters.get("labelSelector", "")

    @property
    def field_selector(self) -> str:
        return self.parameters.get("fieldSelector", "")

    @property
    def field_manager(self) -> str:
        return self.parameters.get("fieldManager", "")

    @property
    def dry_run(self) -> bool:
        options = self.delete_options
        return bool(self.parameters.get("dryRun") or (options is not None and options.dry_run))

    def _plain(self) -> Any:
        if not self._body:
            return None
        try:
            return msgspec.json.decode(self._body)
        except msgspec.DecodeError:
            return yamlio.load(self._body)

    # ---- asking

    def matches(self, verb: str, resource: Named) -> bool:
        """Whether this is a `verb` ("*": any) on `resource`. Contract: CLI-30.

        Plain "pods" matches its subresources, too; "pods/status" that one only. A text that begins with a slash is
        the path of a request that is about no resource.
        """
        if verb not in ("*", self.verb) and verb_of(verb) != self.verb:
            return False
        if not isinstance(resource, str):
            return self.resource == _gvr(resource)
        if resource.startswith("/") or self.path:
            return resource == self.path
        plural, _, subresource = resource.partition("/")
        if subresource not in ("", "*", self.subresource):
            return False
        mine = self.resource
        names = ("*", mine.resource, f"{mine.resource}.{mine.group}", f"{mine.resource}.{mine.version}.{mine.group}")
        return plural in names and (subresource != "*" or bool(self.subresource))

    def _facts(self) -> tuple[Any, ...]:
        sent = self._plain()
        if self.delete_options is not None:
            sent = {key: part for key, part in (sent or {}).items() if key not in ("kind", "apiVersion")} or None
        where = (self.verb, self.resource, self.subresource, self.namespace, self.name, self.path)
        return (*where, self.patch_type, self.label_selector, self.field_selector, sent)

    def __eq__(self, other: Any) -> bool:
        return self._facts() == other._facts() if isinstance(other, Action) else NotImplemented

    def __str__(self) -> str:
        if self.path:
            return f"{self.verb} {self.path}"
        resource = str(self.resource.group_resource)
        if self.subresource:
            resource += f"/{self.subresource}"
        place = f"{self.namespace}/{self.name or '*'}" if self.namespace else self.name
        text = f"{self.verb} {resource} {place}".rstrip()
        return f"{text} ({self.patch_type})" if self.patch_type else text

    def __repr__(self) -> str:
        said = {name: value for name, value in self.parameters.items() if value and name not in _UNSAID}
        asked = urlencode(said, safe=",=")
        return f"<Action {self}{' ?' + asked if asked else ''}>"


class Actions(list[Action]):
    """A list of actions, the oldest first: of its own, so that it can be kept."""

    def where(
        self, verb: str = "*", resource: Named = "*", *, namespace: str | None = None, name: str | None = None
    ) -> Actions:
        """Those that match; None matches any namespace or name."""
        return Actions(
            action
            for action in self
            if action.matches(verb, resource) and namespace in (None, action.namespace) and name in (None, action.name)
        )

    def writes(self) -> Actions:
        """Without what only reads: get, list, watch."""
        return Actions(action for action in self if action.verb not in READS)

    def lines(self) -> list[str]:
        """Each as a short text: "update deployments.apps/status shop/web"."""
        return [str(action) for action in self]


def verb_of(text: str) -> str:
    """A verb as it is recorded: "delete-collection" and "delete_collection" are "deletecollection"."""
    return text.replace("-", "").replace("_", "").lower()


def action_of(request: Request, info: RequestInfo) -> Action:
    """The action that a request is."""
    media = request.header("content-type").partition(";")[0].strip()
    return Action(
        info.verb,
        GroupVersionResource(info.group, info.version, info.resource),
        subresource="/".join((info.subresource, *info.rest)) if info.rest else info.subresource,
        namespace=info.namespace if info.resource != "namespaces" else "",
        name=info.name,
        body=request.body,
        patch_type=_PATCHES.get(media, media) if info.verb == "patch" else "",
        parameters={name: ",".join(values) for name, values in request.query.items()},
        path="" if info.is_resource else request.path,
    )


def _gvr(resource: type[Object] | GroupVersionResource) -> GroupVersionResource:
    if isinstance(resource, GroupVersionResource):
        return resource
    info = resource.__info__
    if info is None or not info.resource:
        raise ValueError(f"{resource.__name__} is not served as a resource")
    return info.gvr


def _split(api_version: str) -> tuple[str, str]:
    group, _, version = api_version.rpartition("/")
    return group, version


def _name_in(body: bytes) -> str:
    try:
        metadata = msgspec.json.decode(body).get("metadata") or {}
        name = metadata.get("name")
        return str(name) if name else f"{metadata['generateName']}*" if metadata.get("generateName") else ""
    except (msgspec.DecodeError, AttributeError):
        return ""
