"""The background work a cluster's controllers do, as far as a control plane without nodes needs it."""
