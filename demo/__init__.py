"""What Holdfast does, played for real: `make demo`."""
