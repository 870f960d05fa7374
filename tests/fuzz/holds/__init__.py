"""One file for each reader of foreign bytes: what must hold of it, whatever the bytes.

Each has `holds(data)`, which raises what is wrong, and `seeds()`, inputs to begin with. The tests of
`tests/unit` call the same, with what hypothesis draws. A file's name is the target's.
"""
