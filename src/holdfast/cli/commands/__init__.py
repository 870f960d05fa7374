"""The commands, each in the file of its name: `arguments` for the parser, `run`. At the door: their names."""

from __future__ import annotations

COMMANDS = {
    "new": "start a session, and a console on it",
    "attach": "open a console on a session; brings back an ended one",
    "ls": "list the sessions",
    "run": "run a program in a session, or a file of cells in one of its own",
    "log": "show what was run in a session, and what it printed",
    "info": "tell about a session, or about this installation",
    "variables": "list a session's variables, also while a cell runs",
    "interrupt": "interrupt what a session runs",
    "undo": "go back to the state before the last cells of a session",
    "redo": "go to the state that the last undo has left",
    "stop": "end sessions; their state is kept",
    "rm": "delete what sessions that have ended keep",
    "keys": "show your key, and say whose keys may come in over TCP",
    "kernel": "install, list or remove Jupyter kernels",
    "config": "show the settings, what each is for, and where its value comes from",
    "completion": "print what lets bash, zsh or fish complete commands",
}
"""Name of each command, which is its module's too, and what it does."""

OPTIONS = ("--help", "--version", "--no-color", "--set")
"""In place of a command, or before it."""
