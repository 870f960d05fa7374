"""subprocess: captured, piped, failing."""

# %%
import subprocess
import sys

subprocess.run(["echo", "hello"], capture_output=True, text=True)

# %%
subprocess.check_output(["sort", "-r"], input=b"a\nc\nb\n")

# %%
subprocess.run(["false"], check=True)

# %%
subprocess.run(["no-such-program-here"])

# %%
with subprocess.Popen(["tr", "a-z", "A-Z"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as upper:
    out, err = upper.communicate("shout")
out, err, upper.returncode

# %%
subprocess.run([sys.executable, "-c", "import sys; sys.exit(4)"]).returncode

# %%
subprocess.run(["sh", "-c", "kill -9 $$"]).returncode

# %%
try:
    subprocess.run(["sleep", "10"], timeout=0.05)
except subprocess.TimeoutExpired as error:
    print("timed out:", error.cmd)

# %%
subprocess.getoutput("printf 'x\\ny'")

# %%
# What a subprocess writes to descriptor 1: alone in its cell, since ipykernel orders it by chance.
done = subprocess.run(["echo", "straight to the notebook"])

# %%
import os

os.system("exit 3") >> 8

# %%
status = os.system("echo from os.system")

# %%
read, write = os.pipe()
subprocess.run(["echo", "piped"], stdout=write)
os.close(write)
os.read(read, 100)

# %%
subprocess.run("echo err >&2", shell=True, stderr=subprocess.PIPE)

# %% {"apart": {"stdout": "ipykernel sends it where its own process was started"}}
# Into the notebook's own stdout by way of Python.
done = subprocess.run(["echo", "x"], stdout=sys.stdout)
