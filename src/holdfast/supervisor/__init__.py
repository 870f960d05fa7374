"""The process that stays: doors, the queue of cells, the journal, and the life of the worker.

One thread, one loop. Never here: the user's code, IPython, anything of `worker`.

    session     puts the parts together; what happens from the start of a session to its end
    desk        what each request of a client means
    stage       the one cell or request that the worker works on, from its start to its reply
    queue       what waits for the worker
    lineage     template, worker, standbys: who lives, who died, who takes over
    output      text on its way from the worker to the clients
    broadcast   messages to clients, numbered and journalled
    recovery    why a worker died, in words
"""
