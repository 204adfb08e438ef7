"""Tools for tests, of the library itself and of its users: a clock to turn, a cluster in the process.

Every name is loaded when it is first touched.
"""

from k8srt._lazy import lazy_exports

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "APIServer": "k8srt.testing.apiserver.server",
        "FakeCustomStore": "k8srt.testing.custom_store",
        "FakeClock": "k8srt.testing.clock",
    },
)
