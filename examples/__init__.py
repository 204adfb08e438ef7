"""Controllers to run, read and start from. Installed as `k8srt.examples`."""
