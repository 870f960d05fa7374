"""Arrays: making, slicing, broadcasting, and how they are shown."""

# %%
import numpy as np

np.set_printoptions(precision=4, suppress=True)
np.arange(12).reshape(3, 4)

# %%
grid = np.linspace(0, 1, 5)
grid, grid.dtype, grid.shape

# %%
table = np.arange(1, 11)[:, None] * np.arange(1, 11)
print(table)
table[::3, ::3]

# %%
np.arange(10_000).reshape(100, 100)

# %%
scores = np.array([71, 85, np.nan, 90, 64])
print("mean", scores.mean(), "without gaps", np.nanmean(scores))
np.where(np.isnan(scores), np.nanmedian(scores), scores)

# %%
np.array([1, 2, 3]) + np.array([1, 2])

# %%
ratios = np.array([1.0, 2.0]) / np.array([0.0, 4.0])
ratios

# %%
people = np.array([("Ines", 31, 1.70), ("Olaf", 58, 1.82)], dtype=[("name", "U10"), ("age", "i4"), ("m", "f8")])
people[people["age"] > 40]["name"]

# %%
mask = table % 7 == 0
table[mask], mask.sum()

# %%
a = np.zeros(3)
b = a[:2]
b[:] = 5
a;

# %%
a

# %%
np.array(["2024-02-28", "2024-03-01"], dtype="datetime64[D]") + np.timedelta64(1, "D")

# %%
with np.printoptions(threshold=5, edgeitems=2):
    print(np.arange(50))
np.float32(0.1), np.int64(3), np.bool_(True), np.complex128(1 + 2j)
