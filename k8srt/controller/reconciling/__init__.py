"""What happens between the queue of a controller and the function that reconciles."""
