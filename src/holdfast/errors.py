"""Every error that Holdfast raises towards its users. No logic, no imports of ours.

HoldfastError
├── ProtocolError            a peer broke the rules of the wire; the message is refused
│   ├── MalformedMessage     frames, JSON or content are not what the protocol says
│   ├── BadSignature         the signature is missing, ill-formed or wrong
│   └── ReplayedMessage      a signature that was already accepted
├── ConnectionFileError      a Jupyter connection file can't be read, understood or written
├── SettingsError            the settings file has an unknown key or a wrong value
├── NoAnswer                 the process behind a connection file or a doorbell does not answer (any more)
├── AccessRefused            a door may not be opened, or somebody may not do that
├── KeysError                a file of keys can't be read or written, or lets nobody in
├── RefusedPath              a folder or file of ours is not private to its user, or its path is too long
├── LinkError                the private link between supervisor and worker broke its rules
├── JournalError             the journal can't be opened, read or written
│   └── JournalDamaged       its content is not what was written
├── CheckpointError          a checkpoint of the variables can't be written or read
│   ├── CheckpointNotWritten nothing new is on disk; earlier checkpoints are as they were
│   └── CheckpointDamaged    its content is not what was written
└── SessionError
    ├── NoSuchSession
    ├── SessionExists
    ├── SessionLocked        another supervisor holds the session's lock
    ├── SessionNotRunning    the session is kept on disk, no process runs it
    └── StartFailed          the supervisor did not come up
"""

from __future__ import annotations

DIED = "InterpreterDied"
"""The name of the error (Jupyter's `ename`) that clients get for a cell that killed the interpreter."""


class HoldfastError(Exception):
    """Something a user can act on: `what` happened, and `remedy`, a command or step to try (or None)."""

    def __init__(self, what: str, remedy: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


class ProtocolError(HoldfastError):
    """A peer broke the rules of the wire."""


class MalformedMessage(ProtocolError):
    """Frames, JSON or content are not what the protocol says."""


class BadSignature(ProtocolError):
    """The signature is missing, ill-formed or wrong."""


class ReplayedMessage(ProtocolError):
    """A signature that was already accepted came again."""


class ConnectionFileError(HoldfastError):
    """A Jupyter connection file can't be read, understood or written."""


class SettingsError(HoldfastError):
    """The settings file has an unknown key or a wrong value."""


class NoAnswer(HoldfastError):
    """The process behind a connection file or a doorbell does not answer (any more)."""


class HungUp(NoAnswer):
    """It has closed the connection."""


class AccessRefused(HoldfastError):
    """A door may not be opened as it was asked for, or somebody may not do what he asks for."""


class KeysError(HoldfastError):
    """A file of keys can't be read or written, or lets nobody in."""


class RefusedPath(HoldfastError):
    """A folder or file of ours is not private to its user, or its path is too long for a socket."""


class LinkError(HoldfastError):
    """The private link between supervisor and worker broke its rules."""


class JournalError(HoldfastError):
    """The journal can't be opened, read or written."""


class JournalDamaged(JournalError):
    """The journal's content is not what was written."""


class CheckpointError(HoldfastError):
    """A checkpoint of the variables can't be written or read."""


class CheckpointNotWritten(CheckpointError):
    """Nothing new is on disk; earlier checkpoints are as they were."""


class CheckpointDamaged(CheckpointError):
    """The checkpoint's content is not what was written."""


class SessionError(HoldfastError):
    """Something about a session, by its name."""


class NoSuchSession(SessionError):
    """No session has this `name`; `near` is the one that may have been meant."""

    def __init__(
        self, what: str, remedy: str | None = None, *, name: str = "", near: str | None = None
    ) -> None:
        super().__init__(what, remedy)
        self.name = name
        self.near = near


class SessionExists(SessionError):
    """A session of this name is there already."""


class SessionLocked(SessionError):
    """Another supervisor holds the session's lock."""


class SessionNotRunning(SessionError):
    """The session is kept on disk; no process runs it."""


class StartFailed(SessionError):
    """The supervisor did not come up."""
