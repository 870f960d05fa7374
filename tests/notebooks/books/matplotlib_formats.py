"""SVG, sizes, styles; figures that are shown by hand."""

# %%
import matplotlib.pyplot as plt
from matplotlib_inline.backend_inline import set_matplotlib_formats

plt.rcParams["svg.hashsalt"] = "fixed"
plt.rcParams["figure.figsize"] = (2.0, 1.5)

# %%
set_matplotlib_formats("svg", metadata={"Date": None})
plt.plot([3, 1, 2])

# %%
set_matplotlib_formats("png", "jpeg")
plt.plot([1, 2])
plt.show()

# %%
# %config InlineBackend.figure_formats = ["retina"]

# %%
plt.plot([1, 4, 9]);

# %%
# %config InlineBackend.figure_formats = ["png"]
# %config InlineBackend.close_figures = False

# %%
figure = plt.figure()
figure.add_subplot().plot([1, 2, 3]);

# %%
plt.gcf() is figure

# %%
plt.close("all")
# a figure that pyplot does not know
from matplotlib.figure import Figure

own = Figure(figsize=(1, 1))
own.subplots().pie([1, 2])
own

# %%
with plt.style.context("ggplot"):
    plt.plot([2, 1])
    display(plt.gcf())
    plt.close()

# %%
plt.style.use("no-such-style")

# %%
print(plt.rcParams["figure.figsize"], plt.rcParams["figure.dpi"])

# %%
# %matplotlib --list

# %%
plt.plot([1], [1], marker="nonsense")
