"""Other projects' own test suites, run against Holdfast: `python -m tests.conformance SUITE CHECKOUT`.

`suites.py` says what is run and what is left out, with a reason each; `scratch.py` is the place where it
runs; `__main__.py` runs it and counts. Nothing is fetched, and nothing here belongs to `make test`: see
docs/conformance.md.
"""
