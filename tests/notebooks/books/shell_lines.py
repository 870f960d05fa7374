"""`!`, `!!`, %%bash and friends."""

# %%
# !echo hello from a shell

# %%
# files = !printf 'a.txt\nb.txt\n'
# files

# %%
# files.grep("b"), files.n, type(files).__name__

# %%
# name = "world"
# !echo "hello $name" {name.upper()} $$HOME_IS_NOT_EXPANDED

# %%
# !exit 3

# %%
_exit_code

# %%
# !!echo listed

# %%
# %%bash
# for n in 1 2 3; do
#   echo "line $n"
# done
# echo "to stderr" >&2

# %%
# %%bash
# echo before
# exit 5

# %%
# %%sh --out captured
# echo into a variable

# %%
captured

# %%
# %%script python3 --no-raise-error
# print("another python")
# raise SystemExit(2)

# %%
# %sx echo from sx

# %%
# %env HOLD=fast
# !echo $HOLD

# %%
# %cd -q /
# !pwd
# %cd -

# %%
# %%bash --err problems
# echo oops >&2

# %%
# problems

# %%
# !no-such-command-anywhere

# %%
# %%cmd_that_is_no_magic
# x

# %%
# ls_output = %sx echo one; echo two
# ls_output
