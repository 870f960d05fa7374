"""Who somebody is, and who may come in: key pairs, `authorized_keys`, `known_hosts`. No socket.

`authorized` and `known` are what lines of those files say (both pure), `kept` has the files themselves.
"""
