"""Leader election: of several processes, one does the work. Each name is loaded when first touched.

record, lock        what a lock says, and what it can do
leaselock, multilock, locks
                    the locks there are, and making them by name
observed, bids      what a candidate has seen, and what it does in one attempt: no threads
errand, announcer   the threads of it
elector             the election, from standing for it to giving the lease back
candidate           standing for an election in which the server chooses
healthz, metrics    what can be asked from outside
"""

from typing import TYPE_CHECKING

from k8srt._lazy import lazy_exports

if TYPE_CHECKING:
    from k8srt.tools.leaderelection.candidate import Candidate as Candidate
    from k8srt.tools.leaderelection.elector import JITTER_FACTOR as JITTER_FACTOR
    from k8srt.tools.leaderelection.elector import ElectionOptions as ElectionOptions
    from k8srt.tools.leaderelection.elector import LeaderElector as LeaderElector
    from k8srt.tools.leaderelection.elector import Phase as Phase
    from k8srt.tools.leaderelection.elector import run_or_die as run_or_die
    from k8srt.tools.leaderelection.failures import LeaseNotRenewed as LeaseNotRenewed
    from k8srt.tools.leaderelection.failures import NotLeaderError as NotLeaderError
    from k8srt.tools.leaderelection.healthz import LeaderHealthzAdaptor as LeaderHealthzAdaptor
    from k8srt.tools.leaderelection.leaselock import LeaseLock as LeaseLock
    from k8srt.tools.leaderelection.lock import UNKNOWN_LEADER as UNKNOWN_LEADER
    from k8srt.tools.leaderelection.lock import EventRecorder as EventRecorder
    from k8srt.tools.leaderelection.lock import ResourceLock as ResourceLock
    from k8srt.tools.leaderelection.locks import LEASES as LEASES
    from k8srt.tools.leaderelection.locks import new_from_kubeconfig as new_from_kubeconfig
    from k8srt.tools.leaderelection.locks import new_lock as new_lock
    from k8srt.tools.leaderelection.metrics import LeaderMetricsProvider as LeaderMetricsProvider
    from k8srt.tools.leaderelection.metrics import set_provider as set_provider
    from k8srt.tools.leaderelection.multilock import MultiLock as MultiLock
    from k8srt.tools.leaderelection.record import LeaderElectionRecord as LeaderElectionRecord

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "Candidate": "k8srt.tools.leaderelection.candidate",
        "ElectionOptions": "k8srt.tools.leaderelection.elector",
        "EventRecorder": "k8srt.tools.leaderelection.lock",
        "JITTER_FACTOR": "k8srt.tools.leaderelection.elector",
        "LEASES": "k8srt.tools.leaderelection.locks",
        "LeaderElectionRecord": "k8srt.tools.leaderelection.record",
        "LeaderElector": "k8srt.tools.leaderelection.elector",
        "LeaderHealthzAdaptor": "k8srt.tools.leaderelection.healthz",
        "LeaderMetricsProvider": "k8srt.tools.leaderelection.metrics",
        "LeaseLock": "k8srt.tools.leaderelection.leaselock",
        "LeaseNotRenewed": "k8srt.tools.leaderelection.failures",
        "MultiLock": "k8srt.tools.leaderelection.multilock",
        "NotLeaderError": "k8srt.tools.leaderelection.failures",
        "Phase": "k8srt.tools.leaderelection.elector",
        "ResourceLock": "k8srt.tools.leaderelection.lock",
        "UNKNOWN_LEADER": "k8srt.tools.leaderelection.lock",
        "new_from_kubeconfig": "k8srt.tools.leaderelection.locks",
        "new_lock": "k8srt.tools.leaderelection.locks",
        "run_or_die": "k8srt.tools.leaderelection.elector",
        "set_provider": "k8srt.tools.leaderelection.metrics",
    },
)
