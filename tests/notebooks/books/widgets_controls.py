"""Widgets and their browser halves: what is opened, what a moved slider does."""

# %%
import ipywidgets as widgets

slider = widgets.IntSlider(value=3, max=10, description="n")
slider

# %%
slider.observe(lambda change: print("moved to", change["new"]), "value")

# %% {"widgets": [["IntSliderModel", {"value": 7}]]}
slider.value

# %%
slider.value

# %%
slider.value = 99
slider.value

# %%
button = widgets.Button(description="Go")
button.on_click(lambda b: print("clicked", b.description))
button

# %%
button.click()

# %%
text = widgets.Text("hello")
label = widgets.Label()
widgets.link((text, "value"), (label, "value"))
label.value

# %% {"widgets": [["TextModel", {"value": "changed"}]]}
widgets.VBox([text, label])

# %%
label.value

# %%
slider.observe(lambda change: 1 / 0, "value")

# %% {"widgets": [["IntSliderModel", {"value": 2}]]}
"the next move raises"

# %%
widgets.IntSlider(value="many")

# %%
text.close()

# %%
widgets.HTML("<b>bold</b>"), widgets.Checkbox(True)

# %% {"ask": [["comm_info_request", {"target_name": "no.such.target"}]]}
from IPython.display import display

display(widgets.FloatProgress(value=0.5, max=1))
