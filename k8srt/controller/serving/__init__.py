"""HTTP servers within a program of controllers: connections, messages, certificates."""
