"""The manager: what runs controllers and servers together, in order, and tells how they are."""
