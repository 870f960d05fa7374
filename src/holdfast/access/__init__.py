"""Who may come in, and by which door.

    doors       the five sockets of a connection file, and what comes through them, verified
    sockets     how they are opened (`listening.py` has those that listen), and closed without a trace
    doorman     who is let in at all: by user on unix sockets, by key over TCP
    guests      whose keys may come in over TCP, and which names of sockets and sessions are theirs
    remote      what a message from there is: whose, and what that one may do
    abroad      whether a door over TCP may be opened, and at which ports
    awaited     clients of a dead supervisor that are on their way back
    iothreads   whether what was sent has left
    doorbell    the unix socket for launchers and commands of the same user

Nothing here acts on a message.
"""
