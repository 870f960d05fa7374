"""Holdfast beside ipykernel, measured alternately in one run over the same raw client: `python -m bench`.

`kernels` starts them, `client` speaks to them, `rows` and `crashes` say what is measured, `figures` what
comes out of it, `__main__` runs it all. Two rows have others take turns: `kishu`, and `checkpoint` (with and
without). Nothing is installed, and only a temporary folder is written to.
"""
