"""Webhooks: admission, conversion, token reviews, and the server for them. Each name is loaded when first touched."""

from typing import TYPE_CHECKING

from k8srt._lazy import lazy_exports

if TYPE_CHECKING:
    from k8srt.controller.serving.certificates import Certificate as Certificate
    from k8srt.controller.serving.certificates import CertWatcher as CertWatcher
    from k8srt.controller.serving.messages import HTTPRequest as HTTPRequest
    from k8srt.controller.serving.messages import HTTPResponse as HTTPResponse
    from k8srt.controller.webhook.admission import AdmissionError as AdmissionError
    from k8srt.controller.webhook.admission import AdmissionRequest as AdmissionRequest
    from k8srt.controller.webhook.admission import AdmissionResponse as AdmissionResponse
    from k8srt.controller.webhook.admission import Operation as Operation
    from k8srt.controller.webhook.admission import admission_request as admission_request
    from k8srt.controller.webhook.admission import allowed as allowed
    from k8srt.controller.webhook.admission import denied as denied
    from k8srt.controller.webhook.admission import errored as errored
    from k8srt.controller.webhook.admission import patch_response as patch_response
    from k8srt.controller.webhook.admission import patched as patched
    from k8srt.controller.webhook.configurations import Target as Target
    from k8srt.controller.webhook.conversion import ConversionError as ConversionError
    from k8srt.controller.webhook.conversion import ConversionWebhook as ConversionWebhook
    from k8srt.controller.webhook.conversion import is_convertible as is_convertible
    from k8srt.controller.webhook.conversion import round_trip as round_trip
    from k8srt.controller.webhook.handlers import multi_mutating as multi_mutating
    from k8srt.controller.webhook.handlers import multi_validating as multi_validating
    from k8srt.controller.webhook.registration import new_webhook_managed_by as new_webhook_managed_by
    from k8srt.controller.webhook.review import AdmissionWebhook as AdmissionWebhook
    from k8srt.controller.webhook.rules import HookRules as HookRules
    from k8srt.controller.webhook.selfsigned import SelfSigned as SelfSigned
    from k8srt.controller.webhook.server import WebhookServer as WebhookServer
    from k8srt.controller.webhook.tokens import TokenAnswer as TokenAnswer
    from k8srt.controller.webhook.tokens import TokenQuestion as TokenQuestion
    from k8srt.controller.webhook.tokens import TokenWebhook as TokenWebhook
    from k8srt.controller.webhook.tokens import authenticated as authenticated
    from k8srt.controller.webhook.tokens import unauthenticated as unauthenticated
    from k8srt.controller.webhook.upkeep import Install as Install
    from k8srt.controller.webhook.wsgi import as_wsgi as as_wsgi

_MODULES = {
    "serving.certificates": ("CertWatcher", "Certificate"),
    "serving.messages": ("HTTPRequest", "HTTPResponse"),
    "webhook.admission": (
        "AdmissionError",
        "AdmissionRequest",
        "AdmissionResponse",
        "Operation",
        "admission_request",
        "allowed",
        "denied",
        "errored",
        "patch_response",
        "patched",
    ),
    "webhook.configurations": ("Target",),
    "webhook.conversion": ("ConversionError", "ConversionWebhook", "is_convertible", "round_trip"),
    "webhook.handlers": ("multi_mutating", "multi_validating"),
    "webhook.registration": ("new_webhook_managed_by",),
    "webhook.review": ("AdmissionWebhook",),
    "webhook.rules": ("HookRules",),
    "webhook.selfsigned": ("SelfSigned",),
    "webhook.server": ("WebhookServer",),
    "webhook.tokens": ("TokenAnswer", "TokenQuestion", "TokenWebhook", "authenticated", "unauthenticated"),
    "webhook.upkeep": ("Install",),
    "webhook.wsgi": ("as_wsgi",),
}

__getattr__, __dir__ = lazy_exports(
    __name__, {name: f"k8srt.controller.{module}" for module, names in _MODULES.items() for name in names}
)
