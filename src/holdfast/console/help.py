"""`?` alone: what can be asked for and typed, on one screen. Answered here, so also while cells run."""

from __future__ import annotations

HELP = """\
ask    obj?  obj??           what it is; its source
       name*?                the names that begin so
       %lsmagic  %name?      the magics; about one of them
       %quickref             IPython's own syntax
run    !command              a command of the system
       %edit                 a new cell, in your editor
       %undo  %redo          back to before the last cell, and forward again
see    %whos  %history       variables; what was typed
       %holdfast             what a crash or a reboot would leave
type   Enter                 run, or go on where more must come
       Alt-Enter, Ctrl-O     run as it is; a new line
       Tab                   complete; at the beginning of a line: indent
       Up, Ctrl-R            what was typed before and begins so, contains so
       End, Ctrl-Right       take the grey suggestion, a word of it
       F2, Ctrl-X Ctrl-E     edit in your editor; and run
       Ctrl-C                clear the line; interrupt the cell that runs
leave  exit, Ctrl-D          a session that has a name goes on
       Ctrl-\\                the same, while a cell runs
"""
