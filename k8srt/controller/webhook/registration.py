"""Putting webhooks for a kind on the server of a manager.

    new_webhook_managed_by(mgr, Foo).with_defaulter(FooDefaults()).with_validator(FooRules()).complete()

    @mgr.validate(Foo)
    def check(foo, old): ...

Contract: ADM-07, ADM-09, DEC-02.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from k8srt.apimachinery.object import Object
from k8srt.controller.kinds import info_of
from k8srt.controller.webhook import conversion
from k8srt.controller.webhook.conversion import ConversionWebhook, is_convertible
from k8srt.controller.webhook.handlers import DefaulterHandler, ValidatorHandler
from k8srt.controller.webhook.review import AdmissionWebhook
from k8srt.controller.webhook.rules import check_path, mutate_path, rules_for, validate_path
from k8srt.controller.webhook.server import WebhookServer

if TYPE_CHECKING:
    from k8srt.controller.manager.manager import Manager

log = logging.getLogger(__name__)


class WebhookBuilder:
    """See `new_webhook_managed_by`. Used by one thread, once."""

    def __init__(self, server: WebhookServer, kind: type[Object]) -> None:
        info_of(kind)
        self._server = server
        self._kind = kind
        self._defaulter: Any = None
        self._validator: Any = None
        self._converter: Any = None
        self._paths = {"defaulter": mutate_path(kind), "validator": validate_path(kind)}
        self._own_paths: set[str] = set()
        self._remove_unknown = False
        self._recover_panic = True
        self._options: dict[str, Any] = {}

    def with_defaulter(self, defaulter: Any, *, remove_unknown: bool = False) -> Self:
        """What has `default(obj)`. `remove_unknown` also drops the fields that the class does not know."""
        self._defaulter = _once("defaulter", self._defaulter, defaulter)
        self._remove_unknown = remove_unknown
        return self

    def with_validator(self, validator: Any) -> Self:
        """What has `validate_create(obj)`, `validate_update(old, new)`, `validate_delete(obj)`, or some of them."""
        self._validator = _once("validator", self._validator, validator)
        return self

    def with_converter(self, converter: Any) -> Self:
        """A function `convert(src, dst)`, or what has it."""
        self._converter = _once("converter", self._converter, converter)
        return self

    def with_defaulter_path(self, path: str) -> Self:
        """Where the defaulter is served. Raises ValueError for what is no path."""
        return self._with_path("defaulter", path)

    def with_validator_path(self, path: str) -> Self:
        """Where the validator is served. Raises ValueError for what is no path."""
        return self._with_path("validator", path)

    def _with_path(self, what: str, path: str) -> Self:
        self._paths[what] = check_path(path)
        self._own_paths.add(what)
        return self

    def recover_panic(self, recover: bool = True) -> Self:
        """Whether a handler that raises is answered for with 500, which is so by default; else the connection ends."""
        self._recover_panic = recover
        return self

    def with_options(self, **options: Any) -> Self:
        """Fields of `HookRules`, for the configurations: `failure_policy`, `timeout`, `object_selector`, …"""
        self._options.update(options)
        return self

    def complete(self) -> None:
        """Register what there is. Raises ValueError if that is nothing, TypeError for what does not fit."""
        convertible = self._converter is not None or is_convertible(self._kind)
        if self._defaulter is None and self._validator is None and not convertible:
            raise ValueError(f"{self._kind.__name__}: give a defaulter, a validator or a converter")
        if "defaulter" in self._own_paths and self._defaulter is None:
            raise ValueError("there is a path for a defaulter, and no defaulter")
        if "validator" in self._own_paths and self._validator is None:
            raise ValueError("there is a path for a validator, and no validator")
        hooks: list[tuple[str, AdmissionWebhook]] = []
        if self._defaulter is not None:
            handler = DefaulterHandler(self._kind, self._defaulter, remove_unknown=self._remove_unknown)
            hooks.append((self._paths["defaulter"], self._hook(handler, mutating=True)))
        if self._validator is not None:
            hooks.append((self._paths["validator"], self._hook(ValidatorHandler(self._kind, self._validator))))
        for path, hook in hooks:
            if self._server.handler(path) is not None:
                log.info("%s is served already, and stays as it is", path)
            else:
                self._server.register(path, hook)
        if convertible:
            serve_conversion(self._server, self._kind, self._converter)

    def _hook(self, handler: Any, *, mutating: bool = False) -> AdmissionWebhook:
        options = dict(self._options)
        if not mutating:
            options.pop("reinvocation_policy", None)
            if callable(getattr(self._validator, "validate_delete", None)):
                options.setdefault("operations", ("CREATE", "UPDATE", "DELETE"))
        rules = rules_for(self._kind, mutating=mutating, **options)
        return AdmissionWebhook(handler, recover_panic=self._recover_panic, rules=rules)


def _once(what: str, before: Any, given: Any) -> Any:
    if before is not None:
        raise ValueError(f"there is a {what} already: {before!r}")
    if given is None:
        raise TypeError(f"the {what} is None")
    return given


def new_webhook_managed_by(manager: Manager, kind: type[Object]) -> WebhookBuilder:
    """A builder of webhooks for a kind, on the server of a manager. Contract: ADM-09."""
    return WebhookBuilder(manager.webhook_server, kind)


def serve_conversion(server: WebhookServer, kind: type[Object], converter: Any = None) -> None:
    """Serve conversions, and those of a kind by `converter` if it is given."""
    webhook = server.handler(conversion.PATH)
    if webhook is None:
        webhook = ConversionWebhook()
        server.register(conversion.PATH, webhook)
    if not isinstance(webhook, ConversionWebhook):
        raise ValueError(f"{conversion.PATH} is served by {webhook!r}")
    if converter is not None:
        webhook.register(kind, converter)


def serve_validator(
    server: WebhookServer,
    kind: type[Object],
    function: Callable[..., Any],
    *,
    path: str = "",
    recover_panic: bool = True,
    **options: Any,
) -> None:
    """Serve a function of an object, or of an object and the one before (None when it is created)."""
    rules = rules_for(kind, mutating=False, **options)
    handler = ValidatorHandler(kind, _FunctionValidator(function))
    server.register(path or validate_path(kind), AdmissionWebhook(handler, recover_panic=recover_panic, rules=rules))


def serve_defaulter(
    server: WebhookServer,
    kind: type[Object],
    function: Callable[[Any], Any],
    *,
    path: str = "",
    remove_unknown: bool = False,
    recover_panic: bool = True,
    **options: Any,
) -> None:
    """Serve a function that changes an object, or returns another."""
    rules = rules_for(kind, mutating=True, **options)
    handler = DefaulterHandler(kind, _FunctionDefaulter(function), remove_unknown=remove_unknown)
    server.register(path or mutate_path(kind), AdmissionWebhook(handler, recover_panic=recover_panic, rules=rules))


class _FunctionDefaulter:
    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.default = function

    def __repr__(self) -> str:
        return getattr(self.default, "__name__", repr(self.default))


class _FunctionValidator:
    """A function as a validator; what is deleted is given as both objects."""

    def __init__(self, function: Callable[..., Any]) -> None:
        if not callable(function) or inspect.iscoroutinefunction(function):
            raise TypeError(f"a validator is a plain function: {function!r}")
        self._function = function
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        parameters = inspect.signature(function).parameters.values()
        self._with_old = sum(each.kind in kinds for each in parameters) > 1

    def validate_create(self, obj: Any) -> Any:
        return self._function(obj, None) if self._with_old else self._function(obj)

    def validate_update(self, old: Any, new: Any) -> Any:
        return self._function(new, old) if self._with_old else self._function(new)

    def validate_delete(self, obj: Any) -> Any:
        return self._function(obj, obj) if self._with_old else self._function(obj)

    def __repr__(self) -> str:
        return getattr(self._function, "__name__", repr(self._function))
