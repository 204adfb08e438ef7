"""Subresources: a handler for each, served by `table.serve`."""
