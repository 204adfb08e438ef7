"""Workloads that live without machines: what controllers, a scheduler and kubelets would do, told by the clock.

One worker (`loop`) looks at one object at a time; how it is brought closer to what it asks for is a function for each
kind. They read and write through a `World`, by the same ways as clients: admission and validation hold.
"""
