"""Being a client of a session: find and start it, execute, follow, interrupt.

`start`, `doorbell`, `glance` and `past` need the standard library only, so that `holdfast ls` and the first
prompt of `holdfast attach` are quick. `aio` and
`blocking` are two faces of one machine, `exchange` (sans-I/O: who gets which message) over `sockets`;
both work with any Jupyter kernel. Nothing here draws, prints or reads a terminal.
"""
