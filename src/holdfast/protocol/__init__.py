"""The Jupyter messaging protocol, sans-I/O: bytes in, messages out, and back.

No socket, no clock, no file but through the functions of `connection`. Nothing here knows what a session,
a cell or a worker is.
"""
