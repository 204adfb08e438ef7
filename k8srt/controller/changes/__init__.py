"""Handlers of single changes, for scripts: an object was created, updated, deleted, a field of it has changed."""
