"""A debugger's client asks, debugpy in the worker answers: the supervisor is between them."""
