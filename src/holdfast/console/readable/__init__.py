"""Documents as text for a terminal: one file for each kind. Pure: text and a width in, text out.

What libraries they need is imported at the first use. Text that comes out has no escapes but our own.
"""
