"""%run, %load, imports of modules that change, macros."""

# %%
# %%writefile greet.py
# """A module."""
# import sys
# WHO = "module"
#
# def greet(name):
#     return f"hello {name} from {WHO}"
#
# if __name__ == "__main__":
#     print(greet(" ".join(sys.argv[1:]) or "nobody"), __file__.rsplit("/")[-1])

# %%
# %run greet.py Ada Lovelace

# %%
WHO, greet("again")

# %%
# %run -n greet.py

# %%
import greet as module

module.greet("import")

# %%
# %%writefile broken.py
# def inner():
#     raise RuntimeError("in a file")
#
# inner()

# %%
# %run broken.py

# %%
import broken

# %%
# %run missing.py

# %%
# %load greet.py

# %%
# %load_ext autoreload
# %autoreload 2

# %%
import importlib

with open("greet.py", "a") as file:
    file.write("\n\ndef leave():\n    return 'bye'\n")
importlib.reload(module).leave()

# %%
first = 1
second = first + 1

# %%
# %macro steps 13
# steps

# %%
# %save -f saved.py 13

# %%
print(open("saved.py").read())

# %%
# %pycat saved.py

# %%
# %load_ext no_such_extension

# %%
# %run -i saved.py
# second

# %%
import sys

sys.exit("leaving")

# %%
"still here"

# %%
# %%writefile leaves.py
# print("about to leave")
# raise SystemExit(3)

# %%
# %run leaves.py
