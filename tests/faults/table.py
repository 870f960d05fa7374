"""All kinds, in the order of their numbers."""

from __future__ import annotations

from faults import checkpoints, clients, deaths, descriptors, journal, libraries, memory, processes

_FILES = (deaths, memory, descriptors, libraries, journal, checkpoints, processes, clients)

FIRST, LAST = 1, 80
"""Numbers of the research's list; each has at least one kind."""

KINDS = sorted((kind for file in _FILES for kind in file.KINDS), key=lambda kind: kind.number)
