"""Who may come in, and by which door: the only place where sockets are opened for others.

`doors` are the five sockets of a Jupyter connection file, `doorbell` the unix socket for launchers and
commands of the same user.
"""
