"""A worker has died: which step comes next, what it is worth, why it died and what is back, in words."""
