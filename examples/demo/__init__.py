"""The story that `k8srt demo` tells: a cluster, a controller, somebody who uses it, and an audience that watches."""
