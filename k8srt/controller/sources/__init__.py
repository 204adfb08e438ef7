"""Sources of events beside the watches of kinds."""
