"""The order in which text, displays, errors and results come."""

# %%
import sys

print("one")
display(2)
print("three", file=sys.stderr)
display(4)
"five"

# %%
for n in range(3):
    print(n)
    display(n)

# %%
print("no newline", end="")

# %%
print("then an error", end="")
1 / 0

# %%
for n in range(2000):
    print("line", n)

# %%
print("x" * 100_000)

# %%
class Noisy:
    def __repr__(self):
        print("printed while shown")
        return "Noisy()"


Noisy()

# %%
class Displays:
    def __repr__(self):
        display("displayed while shown")
        return "Displays()"


Displays()

# %%
Displays(), Noisy()

# %%
sys.stdout.writelines(["a\n", "b\n"])
sys.stdout.flush()

# %%
print(1, 2, sep="", file=sys.stdout)
sys.stderr.write("err\n");

# %%
try:
    sys.stdout.write(b"bytes")
except TypeError as error:
    print("TypeError")

# %%
sys.displayhook("by hand")
sys.displayhook(None)

# %%
"first"
"last"

# %%
if True:
    "not shown"

# %%
None

# %%
x = 5

# %%
print("\n\n")

# %%
# # nothing but a comment

# %%

# %%
def f(): return "one line"
f()

# %%
get_ipython().display_pub.publish({"text/plain": "published"}, {"text/plain": {"m": 1}})

# %%
sys.stdout.closed, sys.stdout.fileno() >= 0, sys.__stdout__ is sys.stdout
