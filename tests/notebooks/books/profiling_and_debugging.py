"""Finding out what code does without stopping it: dis, inspect, profilers, post-mortem by hand."""

# %%
import dis
import inspect


def mean(values):
    """The arithmetic mean."""
    total = sum(values)
    return total / len(values)


print(inspect.getsource(mean))

# %%
inspect.signature(mean), inspect.getdoc(mean), mean.__code__.co_firstlineno

# %%
dis.dis(lambda x: x + 1)

# %%
mean([])

# %%
import sys

frame = sys.last_value.__traceback__
while frame.tb_next:
    frame = frame.tb_next
frame.tb_frame.f_code.co_name, frame.tb_lineno, sorted(frame.tb_frame.f_locals)

# %%
import cProfile
import io
import pstats

profile = cProfile.Profile()
profile.runcall(mean, [1, 2, 3])
pstats.Stats(profile, stream=io.StringIO()).total_calls

# %% {"answers": ["p values", "u", "q"]}
# %debug

# %% {"answers": ["p x", "c"], "apart": {"stdout": "debugpy, which ipykernel loads, takes breakpoint() and does nothing", "input_request": "the same"}}
def stop():
    x = 42
    breakpoint()
    return x


stop()

# %%
seen = []


def tracer(frame, event, argument):
    if frame.f_code.co_name == "mean":
        seen.append(event)
    return tracer


sys.settrace(tracer)
mean([1])
sys.settrace(None)
seen

# %%
import timeit

timeit.timeit("1 + 1", number=10) >= 0

# %%
import tracemalloc

tracemalloc.start()
block = [0] * 1000
current, peak = tracemalloc.get_traced_memory()
tracemalloc.stop()
current > 0, peak >= current

# %%
import linecache

inspect.getsourcelines(stop)[1], linecache.getline(mean.__code__.co_filename, 5)

# %%
# %pdb

# %% {"answers": ["q"]}
mean([])

# %%
# %pdb off

# %%
class Tree:
    def walk(self):
        yield from (1, 2)


print(inspect.getsource(Tree.walk))
inspect.getfile(Tree)
