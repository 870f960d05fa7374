"""What must not be lost: the journal of a session, the input history of all, and the lock.

The only importer of sqlite3. DESIGN.md beside this file has the invariants and why they hold.
Nothing here knows of sockets, messages or workers: it is told what happened, and keeps it.
"""
