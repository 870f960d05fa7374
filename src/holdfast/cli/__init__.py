"""The command line: `main` finds the command, one module here is one command, imported when it is asked for.

A command module has `SUMMARY`, `arguments(parser)` and `run(options) -> int`. Nothing heavy is imported at
the top of any of them: `holdfast ls` must be done before a terminal's cursor blinks.
"""
