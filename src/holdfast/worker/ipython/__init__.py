"""IPython without a terminal: its shell, how it shows and remembers, and what libraries expect around it.

Only here is IPython extended, and only here do names of other projects stand for ours.
"""
