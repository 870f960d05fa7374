"""Equations, matrices and number theory."""

# %%
from sympy import *

x, y, z = symbols("x y z")
n = symbols("n", integer=True, positive=True)
expand((x + y) ** 4)

# %%
factor(x**4 - 1)

# %%
solve(x**2 - 2 * x - 3, x)

# %%
solve([x + y - 3, x - y - 1], [x, y])

# %%
M = Matrix([[2, 1], [1, 3]])
M

# %%
M.eigenvals()

# %%
M**-1, M.det()

# %%
M * Matrix([1, 2, 3])

# %%
summation(n, (n, 1, 100)), factorint(360), isprime(2**31 - 1)

# %%
simplify(sin(x) ** 2 + cos(x) ** 2)

# %%
solve(x**5 - x + 1, x)

# %%
sympify("2*x +")

# %%
Piecewise((x, x > 0), (0, True))

# %%
{x: 1, y: [x**2]}

# %%
init_printing(use_latex=False, use_unicode=True)
Integral(x**2, x)
