"""Where log lines and warnings go."""

# %%
import logging
import sys
import warnings

logging.warning("a warning without any set-up")

# %%
log = logging.getLogger("shop")
log.setLevel(logging.DEBUG)
handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
log.addHandler(handler)
log.propagate = False
log.debug("debug")
log.error("error %d", 5)

# %%
try:
    1 / 0
except ZeroDivisionError:
    log.exception("it failed")

# %%
logging.raiseExceptions = False  # it would print the stack, the kernel's part of it too
log.info("bad format %d", "x")

# %%
warnings.warn("look here")

# %%
for n in range(3):
    warnings.warn("only once, from this line", UserWarning)

# %%
warnings.simplefilter("error")
warnings.warn("now it is an error")

# %%
warnings.resetwarnings()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    warnings.warn("caught", DeprecationWarning)
[str(each.message) for each in caught]


# %%
def old():
    warnings.warn("old is deprecated", DeprecationWarning, stacklevel=2)


old()

# %%
logging.captureWarnings(True)
warnings.warn("through logging")

# %% {"apart": {"stderr": "ipykernel compiles a cell three times and warns as often"}}
# logging.captureWarnings(False)
# "\d"

# %%
logging.getLogger().handlers, logging.getLogger("asyncio").level

# %%
logging.basicConfig(stream=sys.stderr, format="%(message)s", force=True, level=logging.INFO)
logging.info("to stderr")

# %%
print("out", flush=True)
print("err", file=sys.stderr, flush=True)

# %%
from contextlib import redirect_stdout
import io

with redirect_stdout(io.StringIO()) as caught:
    print("redirected")
    display("not text")
caught.getvalue()

# %% {"apart": {"stderr": "ipykernel compiles a cell three times and warns as often"}}
x = 1
x is 1
