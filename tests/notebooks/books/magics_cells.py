"""Cell magics."""

# %%
# %%capture caught
# print("not shown")
# import sys; print("error text", file=sys.stderr)
# 42

# %%
caught.stdout, caught.stderr, len(caught.outputs)

# %%
caught.show()

# %%
caught.outputs[0] if caught.outputs else None

# %%
# %%writefile note.txt
# first
# second

# %%
# %%writefile -a note.txt
# third

# %%
print(open("note.txt").read())

# %%
# %%html
# <em>raw</em> html

# %%
# %%markdown
# # A title
# with *words*

# %%
# %%latex
# $e^{i\pi} + 1 = 0$

# %%
# %%javascript
# console.log("hi")

# %%
# %%svg
# <svg width="10" height="10"><rect width="10" height="10"/></svg>

# %% {"times": true}
# %%time
# total = sum(range(10_000))
# total

# %%
total

# %% {"times": true}
# %%timeit -n 3 -r 2
# total + 1

# %%
# %%python3
# print("in another process")

# %%
# %%capture --no-stderr
# import sys
# print("swallowed")
# print("kept", file=sys.stderr)

# %%
# %%capture broken
# print("before")
# 1 / 0

# %%
# %%perl
# print "perl\n";

# %%
# %%file other.py
# value = 17

# %%
# %%prun -q -T profile.txt
# sum(range(10))
