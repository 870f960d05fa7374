"""input(), getpass(), user expressions, silent cells."""

# %% {"answers": ["Ada"]}
name = input("Who? ")
print("hello", name)

# %% {"answers": ["secret"], "apart": {"input_request.prompt": "as in Python; ipykernel asks with an empty one"}}
from getpass import getpass

len(getpass())

# %%
try:
    input("nobody can answer")
except NotImplementedError as error:
    print(type(error).__name__, error)

# %% {"answers": ["1", "2"]}
sum(int(input(f"number {n}: ")) for n in range(2))

# %% {"answers": ["not a number"]}
int(input())

# %% {"expressions": {"sum": "1 + 1", "name": "name", "bad": "1 / 0", "syntax": "1 +", "list": "[1, 2]"}}
"with expressions"

# %% {"expressions": {"late": "1"}}
raise ValueError("then none of them is evaluated")

# %% {"expressions": {"html": "__import__('IPython').display.HTML('<b>x</b>')"}, "silent": true}
print("silent but heard")

# %% {"silent": true}
1 / 0

# %%
print("counting goes on")

# %% {"answers": ["\u0004"]}
try:
    input("end of file? ")
except EOFError:
    print("the end")

# %% {"answers": [""]}
repr(input("empty "))

# %%
import sys

sys.stdin.read()

# %% {"answers": ["q"]}
import pdb

pdb.run("1 + 1")

# %%
try:
    getpass("prompt: ")
except NotImplementedError as error:
    print(type(error).__name__, error)

# %%
get_ipython().set_next_input("x = 1")
get_ipython().set_next_input("x = 2", replace=True)

# %%
print("é" * 3, "☃", "\U0001f600", end="")

# %%
print("a\rb\tc\x08d")
print("", end="")
print("\x1b[31mred\x1b[0m")

# %%
sys.stdout.write("returns a number\n")

# %%
type(sys.stdout).__name__, sys.stdout.name, sys.stderr.encoding, sys.stdout.isatty(), sys.stdout.writable()
