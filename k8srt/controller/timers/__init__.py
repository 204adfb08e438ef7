"""Functions that run for each object of a kind: timers now and then, daemons all the time."""
