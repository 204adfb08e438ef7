"""Sharding: every replica of a program reconciles its part of the keys. Contract: SHD-01 to SHD-04, SHD-06, SHD-07."""
