"""The terminal frontend: a prompt on a session that goes on without it.

`opening` shows the first lines while the rest is loaded; then `app` wires, `prompt` and `keys` read, `screen`
and `extent` write, `render` and `view` say what a message looks like. A client like any other: nothing here
knows the supervisor's or the worker's insides. Started often, so imports are light: no IPython, no jedi, no
jupyter_client.
"""
