"""%xmode, %tb, sys.last_value, custom handlers, warnings in code."""


# %%
def ratio(a, b):
    part = a / b
    return part


ratio(1, 0)

# %%
import sys

type(sys.last_value).__name__, sys.last_type.__name__

# %%
# %tb

# %%
# %xmode Plain

# %%
ratio(1, 0)

# %%
# %xmode Verbose

# %%
ratio(2, 0)

# %%
# %xmode Docs

# %%
# %xmode Context

# %%
get_ipython().set_custom_exc((KeyError,), lambda shell, kind, value, tb, tb_offset=None: print("handled", value))
{}["k"]

# %%
get_ipython().set_custom_exc((), None)
{}["k"]

# %%
import traceback

try:
    ratio(1, 0)
except ZeroDivisionError:
    traceback.print_exc()
    print("printed")

# %%
get_ipython().showtraceback()

# %%
sys.exc_info()

# %%
import math

math.sqrt(-1)

# %%
__tracebackhide__ = True
sorted([1, "a"])

# %%
# %debug_is_no_magic

# %%
# x = 0x
