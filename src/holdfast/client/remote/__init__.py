"""Sessions on other hosts, reached by the user's own `ssh`: nothing listens there but sshd.

    address     ssh://user@host:port/NAME: which session, where. Pure
    command     what ssh is told, and what it runs there. Pure
    complaints  why ssh has ended, in words, and whether trying again can help. Pure
    tunnel      one ssh: the sockets that it forwards, and the talk with the porter at its other end
    porter      the process there: finds or starts the session, and shows sshd the way to its sockets
    session     a session there, as a client needs it: found again when the connection was cut

Nothing that the other side says becomes a path or a word of a command here.
"""
