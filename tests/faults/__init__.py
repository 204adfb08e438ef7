"""Networks, servers and what is between them, at their worst: real sockets, byte by byte."""
