"""Who may come in, and by which door.

    doors       the five sockets of a connection file, and what comes through them, verified
    sockets     how they are opened (`listening.py` has those that listen), and closed without a trace
    doorman     who is let in at all: by user on unix sockets, by key over TCP
    guests      whose keys may come in over TCP, and which names of sockets and sessions are theirs
    remote      what a message from there is: whose, and what that one may do
    abroad      whether a door over TCP may be opened, and at which ports
    departures  what a door has to say, until it is said
    awaited     clients of a dead supervisor that are on their way back
    laggards    who does not read what he is sent
    iothreads   whether what was sent has left
    connections who is connected, as the system tells; and hung up on
    threshold   how many strangers may stand at the door over TCP, and who is shut out
    turnaway    how the system drops what comes from there
    unended     whose messages over TCP never end
    doorbell    the unix socket for launchers and commands of the same user

Nothing here acts on a message.
"""
