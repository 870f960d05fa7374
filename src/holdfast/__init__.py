"""Holdfast: an interactive Python in two processes, whose sessions survive.

What this module exports is what Holdfast promises; everything else may change between releases.
It must stay light: every process of ours imports it first.
"""

__version__ = "0.1.0"
