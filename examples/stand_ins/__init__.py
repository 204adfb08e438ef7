"""Stand-ins for a cluster's own controllers and kubelet, for API servers that have none.

Enough for Deployments to get their ReplicaSets, these their Pods, and the Pods to run; and for what an owner leaves
behind to be collected. Never run them against a cluster that has the real ones.
"""
