"""The command line: `main` finds the command in `commands/`, which is imported when it is asked for.

Nothing heavy is imported at the top of any of them: `holdfast ls` must be done before a cursor blinks.
"""
