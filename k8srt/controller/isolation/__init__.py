"""Reconciles in processes of their own. Contract: THR-06."""
