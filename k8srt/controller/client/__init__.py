"""The client of a manager: it reads from the cache, writes to the server, and has objects as they should be."""
