"""Pictures on a terminal: bytes of an image in, escapes or coloured half blocks out.

`protocols` knows which way this terminal has, `files` what the bytes are, `easel` puts both together; each
other file is one way. Pillow is imported here only, at the first picture that needs it.
"""
