"""The private messages between supervisor, template, worker and standby.

`messages` is the table of them, `frames` their bytes, `ring` the shared memory in which text travels:
all three pure. `channel` alone touches a socket. Nothing here knows what a cell or a client is.
"""
