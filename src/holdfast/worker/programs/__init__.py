"""`!cmd`: a program on a terminal of its own, in conversation with the client that runs the cell.

Nothing of IPython lives here: what it makes of a program's end is in `ipython/system.py`.
"""
