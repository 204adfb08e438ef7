"""Dependents: what a controller keeps for an object, and the workflow that says in which order."""
