"""The process that stays: doors, the queue of cells, the journal, and the life of the worker.

One thread, one loop. Never here: the user's code, IPython, anything of `worker`.

    session       puts the parts together; what happens from the start of a session to its end
    clients/      what clients ask, and what they hear
    cells/        a cell from its arrival to its reply
    processes/    who lives, who has died, who is the worker next
    aftermath/    what follows a death, and what is said of it
    travel/       earlier states, and the way to each
    disk/         what is written of the namespace, and comes back
    succession/   what lets another supervisor take over
    debugging/    a debugger's client and debugpy
"""
