"""Files of cells: `# %%` scripts and notebooks. Reading them, planning what runs, writing what came.

All of it is a notebook in memory (nbformat 4, as plain dicts and lists), wherever it was read from. Pure but
for `files.py`; nothing here knows a session: `cli/cellruns/run.py` brings the two together.
"""
