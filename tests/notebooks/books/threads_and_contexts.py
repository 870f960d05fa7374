"""Threads that end within their cell, thread pools, context variables."""

# %%
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextvars import ContextVar, copy_context

who = ContextVar("who", default="nobody")
who.set("this cell")
who.get()

# %%
who.get()

# %%
def report():
    print("a thread says", who.get())


thread = threading.Thread(target=report)
thread.start()
thread.join()

# %%
copy_context().run(report)

# %%
with ThreadPoolExecutor(3) as pool:
    print(list(pool.map(lambda n: n * n, range(5))))

# %%
def fail():
    raise ValueError("in a thread")


with ThreadPoolExecutor(1) as pool:
    future = pool.submit(fail)
future.exception()

# %% {"apart": {"error.traceback": "one frame of ours: the thread speaks for the cell that started it", "execute_reply.traceback": "the same"}}
future.result()

# %% {"apart": {"stderr": "one frame of ours: the thread speaks for the cell that started it"}}
thread = threading.Thread(target=fail, name="Failing")
thread.start()
thread.join()

# %%
lock = threading.Lock()
total = 0


def add():
    global total
    for _ in range(1000):
        with lock:
            total += 1


threads = [threading.Thread(target=add) for _ in range(4)]
for each in threads:
    each.start()
for each in threads:
    each.join()
total

# %%
threading.current_thread().name, threading.current_thread() is threading.main_thread()

# %%
local = threading.local()
local.x = 1
local.x

# %%
local.x

# %%
import queue

items = queue.Queue()
thread = threading.Thread(target=lambda: [items.put(n) for n in range(3)])
thread.start()
thread.join()
[items.get() for _ in range(3)]

# %%
display_thread = threading.Thread(target=lambda: display("from a thread"))
display_thread.start()
display_thread.join()

# %%
import asyncio

who.set("before await")
await asyncio.sleep(0)
who.get()

# %% {"apart": {"execute_result.data": "ipykernel forgets what was set in a cell with await"}}
who.get()

# %%
threading.Timer
