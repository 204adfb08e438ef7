"""Events (events.k8s.io/v1): what a controller did, regarding which object. Each name is loaded when first touched.

    with EventBroadcaster() as broadcaster:
        broadcaster.start_recording_to_sink(cs)
        recorder = broadcaster.new_recorder("foo-controller")
        recorder.eventf(foo, deployment, "Normal", "Scaled", "Scale", "to %d replicas", 3)

`k8srt.tools.record` has the older form, which every server takes; `EventBroadcasterAdapter` uses what there is.
"""

from typing import TYPE_CHECKING

from k8srt._lazy import lazy_exports

if TYPE_CHECKING:
    from k8srt.tools.events.adapter import EventBroadcasterAdapter as EventBroadcasterAdapter
    from k8srt.tools.events.broadcaster import EventBroadcaster as EventBroadcaster
    from k8srt.tools.events.recorder import EventRecorder as EventRecorder
    from k8srt.tools.events.recorder import Recorder as Recorder
    from k8srt.tools.events.series import SeriesCache as SeriesCache

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "EventBroadcaster": "k8srt.tools.events.broadcaster",
        "EventBroadcasterAdapter": "k8srt.tools.events.adapter",
        "EventRecorder": "k8srt.tools.events.recorder",
        "Recorder": "k8srt.tools.events.recorder",
        "SeriesCache": "k8srt.tools.events.series",
    },
)
