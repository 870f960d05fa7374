"""Random numbers with a seed, Fourier transforms, and saving arrays to files."""

# %%
import numpy as np

rng = np.random.default_rng(7)
rng

# %%
t = np.arange(256) / 256
signal = np.sin(2 * np.pi * 8 * t) + 0.5 * np.sin(2 * np.pi * 32 * t) + rng.normal(0, 0.1, t.size)
spectrum = np.abs(np.fft.rfft(signal))
np.argsort(spectrum)[-2:][::-1]

# %%
print(f"peak {spectrum.max():.3f} at {spectrum.argmax()} Hz")

# %%
rng.integers(0, 100, 10), rng.permutation(6), rng.choice(["red", "green"], 4)

# %%
np.random.seed(3)
np.random.rand(3)

# %%
counts, edges = np.histogram(rng.exponential(2.0, 1000), bins=6)
for count, low, high in zip(counts, edges, edges[1:]):
    print(f"{low:6.2f} - {high:6.2f} {'#' * (count // 20)}")

# %%
np.savez("signal.npz", t=t, signal=signal)
loaded = np.load("signal.npz")
loaded.files, np.array_equal(loaded["signal"], signal)

# %%
loaded

# %%
np.load("nothing.npy")

# %%
np.convolve(signal, np.ones(8) / 8, mode="valid")[:4]

# %%
np.polynomial.Polynomial([1, 2, 3])

# %%
np.polynomial.Polynomial.fit(t, t**2, 2).convert().coef.round(6)
