"""Being a client of a session: find and start it, execute, follow, interrupt.

    start, doorbell         which sessions there are, one of them begun, its supervisor asked
    glance, past            what a session says of itself, and of what ran, to who has just come
    aio, blocking           two faces of one machine; both work with any Jupyter kernel
    exchange                that machine, sans-I/O: who gets which message
    sockets, line, pulse    its wires, how asyncio waits for them, whether the other end is still there
    asking, catchup, ears   questions of cells, what was not heard, what is told of the connection
    succession, comeback    where a session is to be found after a cut, and the way back to it
    abroad, visit, remote/  sessions of other hosts, over TCP and over ssh
    leftout                 what a session sends and nobody can use
    watchman                a process that has a supervisor succeeded where nobody else would
    background              work that blocks, beside an asyncio loop

`start`, `doorbell`, `glance` and `past` need the standard library only, so that `holdfast ls` and the first
prompt of `holdfast attach` are quick. Nothing here draws or reads a key; what ssh says to its user before it
has let one in is passed on (`remote/`).
"""
