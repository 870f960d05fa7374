"""Inline plots, one a cell or several, and what a cell returns beside them."""

# %%
# %matplotlib inline

# %%
import matplotlib
import matplotlib.pyplot as plt
import numpy as np

matplotlib.get_backend()

# %%
x = np.linspace(0, 2 * np.pi, 50)
plt.plot(x, np.sin(x))

# %%
plt.plot(x, np.cos(x))
plt.title("cosine")
plt.show()

# %%
print("before")
fig, axes = plt.subplots(1, 2, figsize=(4, 2))
axes[0].bar(["a", "b"], [3, 5])
axes[1].scatter(x, x**2, s=4)
print("after");

# %%
fig

# %%
for n in range(2):
    plt.figure(figsize=(2, 1))
    plt.plot([0, n + 1])
print("two figures")

# %%
plt.hist([1, 2, 2, 3], bins=3)
plt.show()
print("text after show")
"a result"

# %%
plt.figure(figsize=(1, 1))
plt.plot([1, 2], [1])

# %%
plt.close("all")
plt.get_fignums()

# %%
fig, ax = plt.subplots(figsize=(2, 2))
ax.imshow(np.arange(9).reshape(3, 3))
fig.savefig("matrix.png")
plt.close(fig)

# %%
from IPython.display import Image

Image("matrix.png", width=80)
