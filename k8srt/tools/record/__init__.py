"""Events (core/v1): what a program tells people about an object. Each name is loaded when first touched.

    with EventBroadcaster() as broadcaster:
        broadcaster.start_recording_to_sink(cs)
        recorder = broadcaster.new_recorder("foo-controller")
        recorder.event(foo, "Normal", "Synced", "all replicas are available")

`k8srt.tools.events` has the newer form of events.
"""

from typing import TYPE_CHECKING

from k8srt._lazy import lazy_exports

if TYPE_CHECKING:
    from k8srt.tools.record.broadcaster import EventBroadcaster as EventBroadcaster
    from k8srt.tools.record.broadcasting import EventWatch as EventWatch
    from k8srt.tools.record.correlation.correlator import EventCorrelator as EventCorrelator
    from k8srt.tools.record.correlation.options import CorrelatorOptions as CorrelatorOptions
    from k8srt.tools.record.naming import NORMAL as NORMAL
    from k8srt.tools.record.naming import WARNING as WARNING
    from k8srt.tools.record.recorder import EventRecorder as EventRecorder
    from k8srt.tools.record.recorder import EventRecorderAdapter as EventRecorderAdapter
    from k8srt.tools.record.recorder import Recorder as Recorder
    from k8srt.tools.record.sink import ClientSink as ClientSink
    from k8srt.tools.record.sink import EventSink as EventSink

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "NORMAL": "k8srt.tools.record.naming",
        "WARNING": "k8srt.tools.record.naming",
        "ClientSink": "k8srt.tools.record.sink",
        "CorrelatorOptions": "k8srt.tools.record.correlation.options",
        "EventBroadcaster": "k8srt.tools.record.broadcaster",
        "EventCorrelator": "k8srt.tools.record.correlation.correlator",
        "EventRecorder": "k8srt.tools.record.recorder",
        "EventRecorderAdapter": "k8srt.tools.record.recorder",
        "EventSink": "k8srt.tools.record.sink",
        "EventWatch": "k8srt.tools.record.broadcasting",
        "Recorder": "k8srt.tools.record.recorder",
    },
)
