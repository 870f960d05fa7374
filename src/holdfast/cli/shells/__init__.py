"""What shells complete, and the scripts by which they ask."""
