"""Webhooks, called over HTTPS: those that admit writes, and those that convert custom resources.

`calls` speaks to them, `attributes` says what a write is, `matching` which ones it concerns, `review` what is sent and
read, `admit` asks them one after the other. Nothing here runs under a lock of the storage.
"""
