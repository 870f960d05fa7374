"""Line magics."""

# %% {"times": true}
# %time sum(range(1000))

# %% {"times": true}
# %timeit -n 10 -r 2 sum(range(100))

# %% {"times": true}
# result = %timeit -o -q -n 5 -r 2 None
# result.loops, result.repeat

# %%
alpha, beta = 1, "two"
# a comment

# %%
# %who

# %%
del result

# %%
# %whos

# %%
# %who_ls str

# %%
# %precision 3

# %%
3.14159

# %%
# %precision

# %%
# %pprint

# %%
list(range(40))

# %%
# %pprint

# %%
# %no_such_magic now

# %%
# %alias say echo said:
# say it

# %%
# %psource open

# %%
# %magic_that_fails?

# %%
# %config IPCompleter.greedy

# %%
# %xmode Minimal

# %%
1 / 0

# %%
# %xmode Context

# %%
# %reset -f
# "alpha" in globals()

# %%
# %pwd
# %dhist

# %%
# %colors

# %%
# %automagic

# %%
# %page alpha

# %%
# %gui

# %%
# %unalias say

# %%
# %env NO_SUCH_VARIABLE
