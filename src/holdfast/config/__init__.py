"""Where the settings of `settings.py` get their values, and how that is told.

    layers      all places in their order: defaults, the user's file, the project's, variables, flags
    places      where they may be, and whether anything is there: mostly nothing is
    files       one TOML file, each setting with its line
    project     which file is a project's, and what it may set: it may come from a stranger
    variables   HOLDFAST_STANDBY_KEEP=3 and --set standby.keep=3
    inforce     what a running session was started with
    given       one setting as one place gives it, or what is wrong with it
    names       every setting by its name: type, default, variable, the nearest to a wrong one
    words       what a setting is for, and what it may be

Nothing here knows a session's processes or a terminal. With no settings given anywhere nothing is parsed.
"""
