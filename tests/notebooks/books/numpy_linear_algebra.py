"""Solving systems, decompositions, and what goes wrong with singular matrices."""

# %%
import numpy as np
from numpy.linalg import LinAlgError

A = np.array([[4.0, -2.0, 1.0], [-2.0, 4.0, -2.0], [1.0, -2.0, 4.0]])
b = np.array([11.0, -16.0, 17.0])
x = np.linalg.solve(A, b)
x

# %%
np.allclose(A @ x, b)

# %%
np.linalg.eigvalsh(A).round(6)

# %%
L = np.linalg.cholesky(A)
print(L.round(4))
(L @ L.T).round(10)

# %%
np.linalg.inv(np.ones((2, 2)))

# %%
try:
    np.linalg.cholesky(-A)
except LinAlgError as error:
    print(type(error).__name__, error)

# %%
u, s, vt = np.linalg.svd(np.arange(6.0).reshape(2, 3), full_matrices=False)
s.round(8)


# %%
def power_iteration(matrix, steps=100):
    """The largest eigenvalue."""
    vector = np.ones(len(matrix))
    for _ in range(steps):
        vector = matrix @ vector
        vector /= np.linalg.norm(vector)
    return vector @ matrix @ vector


round(power_iteration(A), 8)

# %%
power_iteration(A.tolist())

# %%
np.linalg.lstsq(np.vander([0.0, 1.0, 2.0, 3.0], 2), np.array([1.0, 3.1, 4.9, 7.0]), rcond=None)[0].round(6)

# %%
np.einsum("ij,jk->ik", A, np.eye(3)) - A
