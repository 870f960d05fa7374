"""The supervisor may be killed: nothing is sent before it is written down, and another one takes over."""
