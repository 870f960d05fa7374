"""Symbols: derivatives, integrals, series, limits."""

# %%
import sympy as sp

sp.init_printing()
x, y = sp.symbols("x y")
f = sp.sin(x) * sp.exp(-x)
f

# %%
sp.diff(f, x)

# %%
sp.integrate(f, (x, 0, sp.oo))

# %%
sp.series(sp.cos(x), x, 0, 8)

# %%
sp.limit(sp.sin(x) / x, x, 0), sp.limit(1 / x, x, 0, "-")

# %%
sp.Integral(sp.exp(-(x**2)), (x, -sp.oo, sp.oo))

# %%
sp.Eq(sp.Integral(sp.exp(-(x**2)), (x, -sp.oo, sp.oo)), sp.sqrt(sp.pi))

# %%
print(sp.latex(f))
sp.pprint(f / (1 + x**2))

# %%
sp.Function("g")(x).diff(x, 2)

# %%
g = sp.Function("g")
sp.dsolve(g(x).diff(x, 2) + g(x), g(x))

# %%
sp.lambdify(x, f)(1.0).__round__(6)

# %%
sp.integrate(undefined, x)

# %%
sp.hessian(x**3 * y + y**2, (x, y))

# %%
[sp.sqrt(8), sp.Rational(3, 9), sp.pi.evalf(20)]
