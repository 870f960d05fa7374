"""A program run as `python` would run it, in the namespace of the session: `holdfast FILE`, `%program FILE`.

Not here: what a cell is, and who asked for it. A program is something that a cell does.
"""
