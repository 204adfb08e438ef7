"""The embedded API server: HTTP on loopback, storage in memory, one engine for every kind.

A request goes `http` → `dispatch` → `reads`, `writes`, `patches`, `deletes` or `subresources` → `storage`. What is
particular to a kind is a row in `strategies.table`; what is served is a row in `registry`. Everything works on plain
JSON data; `typed` brings documents of built-in kinds into the form Go's types give them.
"""
