"""The process that may die: IPython's shell, one asyncio loop, the user's code, and its sleeping forks.

Never here: a thread of our own, ZeroMQ, SQLite, anything of `supervisor`, `journal` or `client`. That is what
makes the process forkable whenever it is idle, and `tests/house` holds it to that.
"""
