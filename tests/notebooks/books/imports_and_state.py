"""What a session keeps between cells: names, modules, atexit, hooks, the environment."""

# %%
counter = 0


def tick():
    global counter
    counter += 1
    return counter


tick(), tick()

# %%
counter

# %%
import no_such_module

# %%
from math import no_such_name

# %%
import os

os.environ["COLOUR"] = "blue"
os.environ.get("TERM"), os.environ.get("PAGER"), os.environ.get("MPLBACKEND"), os.environ.get("CLICOLOR")

# %%
shell = get_ipython()
type(shell).__name__, shell.__class__.__mro__[-1].__name__

# %%
import sys

calls = []
shell.events.register("pre_run_cell", lambda info: calls.append(("pre", info.raw_cell, info.store_history)))
shell.events.register("post_run_cell", lambda result: calls.append(("post", result.execution_count, result.success)))

# %%
"watched"

# %%
calls

# %%
shell.events.callbacks["pre_run_cell"].pop()
shell.events.callbacks["post_run_cell"].pop();

# %%
shell.run_cell("inner = 5\ninner + 1")

# %%
shell.run_cell("1 / 0").success

# %%
shell.run_line_magic("who_ls", "int")

# %%
shell.ex("made = 'by ex'")
shell.ev("made.upper()")

# %%
shell.push({"pushed": 1})
pushed


# %%
def add_one(lines):
    return [line.replace("ONE", "1") for line in lines]


shell.input_transformers_post.append(add_one)

# %%
# ONE + ONE

# %%
shell.input_transformers_post.remove(add_one)
sys.displayhook.__class__.__mro__[-1], callable(sys.excepthook)

# %%
import ast


class Twice(ast.NodeTransformer):
    def visit_Constant(self, node):
        return ast.Constant(node.value * 2) if isinstance(node.value, int) else node


shell.ast_transformers.append(Twice())

# %%
21

# %%
shell.ast_transformers.clear()
21

# %%
sys.ps1, hasattr(sys, "last_value")

# %% {"apart": {"execute_result.data": "the options of ipykernel, which a program in a cell would take for its own"}}
sys.argv[1:2]

# %%
sys.flags.interactive, sys.gettrace(), __name__

# %%
import __main__

__main__.counter

# %%
globals()["counter"], locals() is globals(), "counter" in vars()
