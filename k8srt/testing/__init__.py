"""Tools for tests, of the library itself and of its users: a clock to turn, a cluster in the process, fake clients.

Every name is loaded when it is first touched.
"""

from typing import TYPE_CHECKING

from k8srt._lazy import lazy_exports

if TYPE_CHECKING:
    from k8srt.testing.apiserver.controllers.simulation.options import Simulation as Simulation
    from k8srt.testing.apiserver.server import APIServer as APIServer
    from k8srt.testing.asserting import Objects as Objects
    from k8srt.testing.asserting import consistently as consistently
    from k8srt.testing.asserting import equal_object as equal_object
    from k8srt.testing.asserting import eventually as eventually
    from k8srt.testing.choosing import open_server as open_server
    from k8srt.testing.clock import FakeClock as FakeClock
    from k8srt.testing.control_plane import ControlPlane as ControlPlane
    from k8srt.testing.control_plane_binaries import BinaryNotFound as BinaryNotFound
    from k8srt.testing.control_plane_process import ControlPlaneFailed as ControlPlaneFailed
    from k8srt.testing.controller_run import ControllerTest as ControllerTest
    from k8srt.testing.controller_run import NotIdle as NotIdle
    from k8srt.testing.controller_run import controller_test as controller_test
    from k8srt.testing.crds import install_crds as install_crds
    from k8srt.testing.crds import uninstall_crds as uninstall_crds
    from k8srt.testing.custom_store import FakeCustomStore as FakeCustomStore
    from k8srt.testing.fake.actions import Action as Action
    from k8srt.testing.fake.actions import Actions as Actions
    from k8srt.testing.fake.clientset import FakeClientset as FakeClientset
    from k8srt.testing.fake.discovery import FakeDiscovery as FakeDiscovery
    from k8srt.testing.fake.reactors import Handled as Handled
    from k8srt.testing.fake.reactors import NotHandled as NotHandled
    from k8srt.testing.fake.refusals import refusal as refusal
    from k8srt.testing.fake.watcher import FakeWatcher as FakeWatcher
    from k8srt.testing.recorder import FakeEventsRecorder as FakeEventsRecorder
    from k8srt.testing.recorder import FakeRecorder as FakeRecorder
    from k8srt.testing.webhooks import install_webhooks as install_webhooks

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "APIServer": "k8srt.testing.apiserver.server",
        "Action": "k8srt.testing.fake.actions",
        "Actions": "k8srt.testing.fake.actions",
        "BinaryNotFound": "k8srt.testing.control_plane_binaries",
        "ControlPlane": "k8srt.testing.control_plane",
        "ControlPlaneFailed": "k8srt.testing.control_plane_process",
        "ControllerTest": "k8srt.testing.controller_run",
        "FakeClientset": "k8srt.testing.fake.clientset",
        "FakeClock": "k8srt.testing.clock",
        "FakeCustomStore": "k8srt.testing.custom_store",
        "FakeDiscovery": "k8srt.testing.fake.discovery",
        "FakeEventsRecorder": "k8srt.testing.recorder",
        "FakeRecorder": "k8srt.testing.recorder",
        "FakeWatcher": "k8srt.testing.fake.watcher",
        "Handled": "k8srt.testing.fake.reactors",
        "NotHandled": "k8srt.testing.fake.reactors",
        "NotIdle": "k8srt.testing.controller_run",
        "Objects": "k8srt.testing.asserting",
        "Simulation": "k8srt.testing.apiserver.controllers.simulation.options",
        "consistently": "k8srt.testing.asserting",
        "controller_test": "k8srt.testing.controller_run",
        "equal_object": "k8srt.testing.asserting",
        "eventually": "k8srt.testing.asserting",
        "install_crds": "k8srt.testing.crds",
        "install_webhooks": "k8srt.testing.webhooks",
        "open_server": "k8srt.testing.choosing",
        "refusal": "k8srt.testing.fake.refusals",
        "uninstall_crds": "k8srt.testing.crds",
    },
)
