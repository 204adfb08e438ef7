"""What becomes of repeated and similar events. Each name is loaded when first touched."""

from typing import TYPE_CHECKING

from k8srt._lazy import lazy_exports

if TYPE_CHECKING:
    from k8srt.tools.record.correlation.aggregate import EventAggregator as EventAggregator
    from k8srt.tools.record.correlation.correlator import Correlated as Correlated
    from k8srt.tools.record.correlation.correlator import EventCorrelator as EventCorrelator
    from k8srt.tools.record.correlation.count import EventCounter as EventCounter
    from k8srt.tools.record.correlation.options import CorrelatorOptions as CorrelatorOptions
    from k8srt.tools.record.correlation.spam import EventSpamFilter as EventSpamFilter

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "Correlated": "k8srt.tools.record.correlation.correlator",
        "CorrelatorOptions": "k8srt.tools.record.correlation.options",
        "EventAggregator": "k8srt.tools.record.correlation.aggregate",
        "EventCorrelator": "k8srt.tools.record.correlation.correlator",
        "EventCounter": "k8srt.tools.record.correlation.count",
        "EventSpamFilter": "k8srt.tools.record.correlation.spam",
    },
)
