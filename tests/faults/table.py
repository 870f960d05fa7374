"""All kinds, in the order of their numbers."""

from __future__ import annotations

from faults import deaths

FIRST, LAST = 1, 80
"""Numbers of the research's list; each has at least one kind."""

KINDS = sorted([*deaths.KINDS], key=lambda kind: kind.number)
