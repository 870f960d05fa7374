"""multiprocessing: pools, queues, and errors that come from children."""

# %%
import multiprocessing as mp
import os

context = mp.get_context("fork")
context.get_start_method()


# %%
def square(n):
    return n * n


with context.Pool(2) as pool:
    squares = pool.map(square, range(8))
squares


# %%
def fail(n):
    raise ValueError(f"no {n}")


with context.Pool(1) as pool:
    try:
        pool.map(fail, [1])
    except ValueError as error:
        print(error, type(error.__cause__).__name__)

# %%
queue = context.Queue()
child = context.Process(target=queue.put, args=("from the child",))
child.start()
print(queue.get())
child.join()
child.exitcode

# %%
child = context.Process(target=os._exit, args=(3,))
child.start()
child.join()
child.exitcode

# %%
from concurrent.futures import ProcessPoolExecutor

with ProcessPoolExecutor(2, mp_context=context) as executor:
    print(list(executor.map(square, [1, 2, 3])))

# %%
shared = context.Value("i", 0)


def add():
    with shared.get_lock():
        shared.value += 1


children = [context.Process(target=add) for _ in range(3)]
for each in children:
    each.start()
for each in children:
    each.join()
shared.value

# %%
parent_end, child_end = context.Pipe()
child = context.Process(target=lambda: child_end.send({"pid differs": os.getpid() != os.getppid()}))
child.start()
answer = parent_end.recv()
child.join()
answer

# %%
mp.get_context("spawn").Pool

# %%
pid = os.fork()
if not pid:
    os._exit(7)
os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

# %%
mp.active_children()

# %% {"unordered": true}
# a child's print reaches the notebook
import sys


def speak():
    print("child speaks")
    sys.stdout.flush()


child = context.Process(target=speak)
child.start()
child.join()
