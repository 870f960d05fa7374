"""Top-level await, tasks, time-outs and groups."""

# %%
import asyncio

await asyncio.sleep(0.01)


# %%
async def double(n):
    await asyncio.sleep(0)
    return n * 2


await double(21)

# %%
double

# %%
await asyncio.gather(*(double(n) for n in range(4)))

# %%
asyncio.get_running_loop().is_running()

# %%
asyncio.run(double(1))

# %%
task = asyncio.create_task(double(5))
await task
task.done(), task.result()

# %%
await asyncio.wait_for(asyncio.sleep(10), 0.01)

# %%
results = []


async def worker(name, queue):
    while not queue.empty():
        results.append((name, await queue.get()))
        await asyncio.sleep(0)


queue = asyncio.Queue()
for n in range(4):
    queue.put_nowait(n)
await asyncio.gather(worker("a", queue), worker("b", queue))
results

# %%
async with asyncio.timeout(5):
    print("in time")

# %% {"apart": {"execute_reply.traceback": "ipykernel sends that of an earlier error"}}
async with asyncio.TaskGroup() as group:
    group.create_task(double("x"))
    group.create_task(double(None))

# %%
[value async for value in (await double(n) for n in range(3))]

# %%
failing = asyncio.ensure_future(double(None))
try:
    await failing
except TypeError as error:
    print("caught", error)

# %%
event = asyncio.Event()


async def later():
    await event.wait()
    print("from a task of an earlier cell")


waiting = asyncio.create_task(later())

# %%
event.set()
await waiting
print("done")

# %%
raise asyncio.CancelledError("by hand")
