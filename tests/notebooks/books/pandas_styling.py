"""Tables with colours, and other formats of tables."""

# %%
import pandas as pd

marks = pd.DataFrame({"maths": [12, 9, 15], "art": [14, 16, 8]}, index=["Bea", "Cai", "Dov"])
marks.style

# %%
marks.style.highlight_max(color="lightgreen").format("{:.1f}")

# %%
marks.style.map(lambda mark: "color: red" if mark < 10 else "").set_caption("Marks")

# %%
print(marks.to_html(border=0))

# %%
print(marks.to_string())

# %%
from IPython.display import HTML

HTML(marks.to_html(classes="marks"))

# %%
pd.set_option("display.max_rows", 4)
pd.DataFrame({"n": range(20)})

# %%
pd.reset_option("display.max_rows")
pd.options.display.notebook_repr_html = False
marks

# %%
pd.options.display.notebook_repr_html = True
pd.options.display.html.border = 0
marks

# %%
with pd.option_context("display.precision", 2):
    display(marks / 7)

# %%
pd.set_option("display.no_such_thing", 1)

# %%
marks.style.format({"music": "{}"}).hide(axis="index").to_html()[:7]
