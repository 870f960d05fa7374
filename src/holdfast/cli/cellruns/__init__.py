"""Runs of a file of cells, one by one, in a session. What such a file is: `cellfiles/`."""
