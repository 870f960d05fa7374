"""Errors of every kind, as a notebook shows them."""

# %%
1 / 0


# %%
def outer(n):
    return inner(n) + 1


def inner(n):
    values = {"a": 1}
    return values[n]


outer("b")

# %%
try:
    int("x")
except ValueError as error:
    raise RuntimeError("could not read") from error

# %%
try:
    int("x")
except ValueError:
    raise KeyError("second") from None

# %%
try:
    {}["k"]
except KeyError:
    unknown_name

# %%
# def broken(:
#     pass

# %%
# print("unclosed"

# %%
# if True:
# print("not indented")

# %%
# x = 1
#   y = 2

# %%
error = ValueError("with notes")
error.add_note("the first")
error.add_note("the second")
raise error

# %%
raise ExceptionGroup("several", [ValueError("one"), TypeError("two")])


# %%
class Own(Exception):
    def __str__(self):
        return "described\nin two lines"


raise Own

# %%
raise SystemExit("a message")

# %%
raise KeyboardInterrupt


# %%
def deep(n):
    return deep(n + 1)


try:
    deep(0)
except RecursionError as error:
    print(error)

# %%
assert 1 == 2, "they differ"

# %%
import json

json.loads("{nothing}")

# %%
exec("a = 1\nb = a / 0")

# %%
eval("1 +")

# %% {"apart": {"execute_reply.payload": "the client leaves, the session goes on"}}
exit

# %%
raise "a string"

# %%
del never_was


# %%
[n / (n - 3) for n in range(5)]

# %%
lambda: 0
