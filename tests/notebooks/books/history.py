"""In, Out, %history, %recall and numbers of cells."""

# %%
first = 10
first

# %%
_ + 5

# %%
Out

# %%
In[1], _i, _ii

# %%
_1, _2, __

# %%
# %history

# %%
# %history -n 1-2

# %%
# %history -o 1-2

# %%
# %hist -g first

# %%
# %recall 1

# %%
# %rerun 1

# %%
print("no result")

# %%
_

# %% {"store_history": false}
"not stored"

# %%
len(In)

# %% {"silent": true}
quiet = "silent cells leave no trace"
quiet

# %%
quiet

# %% {"ask": [["history_request", {"hist_access_type": "range", "output": false, "raw": true, "session": 0, "start": 1, "stop": 3}]]}
"a"; "b"

# %%
1; 2

# %%
"; in a string";

# %%
# %history -f saved.txt 1
# print(open("saved.txt").read())

# %%
del Out
"Out" in dir()

# %%
# %notebook --help

# %%
get_ipython().execution_count, get_ipython().user_ns["_ih"][1]

# %%
# %reset -f out
# Out

# %%
get_ipython().ast_node_interactivity = "all"

# %%
1
2

# %%
get_ipython().ast_node_interactivity = "last_expr_or_assign"

# %%
y = 4
