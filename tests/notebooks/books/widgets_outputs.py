"""Outputs caught in widgets, and functions with controls."""

# %%
import ipywidgets as widgets
from IPython.display import clear_output, display

out = widgets.Output()
out

# %%
with out:
    print("inside")
    display("shown inside")
print("outside")

# %%
out.append_stdout("appended\n")

# %%
@out.capture(clear_output=True)
def speak(words):
    print(words)


speak("captured")

# %%
with out:
    1 / 0

# %%
print("still here")


# %%
@widgets.interact(n=(0, 5), shout=False)
def repeat(n=2, shout=False):
    print(("HA" if shout else "ha") * n)


# %% {"widgets": [["IntSliderModel", {"value": 4}]]}
"moves the slider"

# %%
widgets.interactive(lambda a, b: a + b, a=1, b=(0.0, 1.0))

# %%
controls = widgets.interactive_output(lambda x: print(x * x), {"x": widgets.IntText(3)})
controls

# %%
bar = widgets.IntProgress(max=3)
display(bar)
for step in range(4):
    bar.value = step

# %%
tab = widgets.Tab([widgets.Text("one"), widgets.Text("two")], titles=["A", "B"])
tab

# %%
widgets.jslink((bar, "value"), (bar, "max"))
