"""The 80 kinds of faults, each as a real session that has it: what must be seen, kept, told and left behind.

`kind.py` has the words in which a kind is written down, `table.py` all of them, by number; the kinds stand
in files by what they hit (`deaths.py`, `memory.py`, ...). `scene.py` is one session with its helpers,
`machine.py` what is done to the machine below it, `runner.py` plays a kind and asserts what is true of all.
The quick ones run with the tests (`test_faults.py`); `make faults` runs all. Nothing here knows how Holdfast
works inside, but for the names of its files and processes, and where a checkpoint says which Python wrote it.
"""
