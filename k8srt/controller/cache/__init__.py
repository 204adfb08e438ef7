"""What is cached: an informer for each kind that anybody watches or reads, and what was written meanwhile."""
