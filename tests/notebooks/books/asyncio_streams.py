"""A server and its clients in one loop; subprocesses of asyncio."""

# %%
import asyncio

log = []


async def serve(reader, writer):
    line = await reader.readline()
    log.append(line)
    writer.write(line.upper())
    await writer.drain()
    writer.close()


server = await asyncio.start_server(serve, "127.0.0.1", 0)
port = server.sockets[0].getsockname()[1]
server.is_serving()


# %%
async def talk(words):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(words.encode() + b"\n")
    answer = await reader.read()
    writer.close()
    return answer


await talk("hello")

# %%
await asyncio.gather(talk("one"), talk("two"))

# %%
sorted(log)

# %%
server.close()
await server.wait_closed()

# %%
try:
    await talk("nobody")
except OSError as error:
    print(type(error).__name__)

# %%
process = await asyncio.create_subprocess_exec("cat", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
out, _ = await process.communicate(b"through a pipe")
out, process.returncode


# %%
async def numbers():
    for n in range(3):
        yield n


async for n in numbers():
    print(n)

# %%
await asyncio.to_thread(sum, [1, 2, 3])

# %%
loop = asyncio.get_running_loop()
future = loop.create_future()
loop.call_soon(future.set_result, "soon")
await future


# %%
# async with numbers():
#     pass

# %%
lock = asyncio.Lock()
async with lock:
    held = lock.locked()
held, lock.locked()
