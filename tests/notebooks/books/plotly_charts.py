"""Charts whose data goes to the browser as JSON."""

# %%
import plotly
import plotly.graph_objects as go
import plotly.io as pio

pio.renderers.default

# %%
pio.renderers.default = "plotly_mimetype"
figure = go.Figure(go.Scatter(x=[1, 2, 3], y=[3, 1, 2]))
figure

# %%
figure.update_layout(title="Up and down")
figure.show()

# %%
figure.to_dict()["data"]

# %%
figure.add_trace(go.Bar(x=[1, 2], y=[2, 2], name="bars"));

# %%
go.Scatter(color="red")

# %%
figure.update_traces(marker={"shade": 1})

# %%
from plotly.subplots import make_subplots

pair = make_subplots(rows=1, cols=2)
pair.add_trace(go.Pie(values=[1, 2]), row=1, col=1)

# %%
import numpy as np
import pandas as pd
import plotly.express as px

px.line(pd.DataFrame({"t": np.arange(5), "v": np.arange(5) ** 2}), x="t", y="v")

# %%
print(figure)

# %%
len(pio.to_html(figure, include_plotlyjs="cdn", full_html=False)) > 100

# %%
px.scatter(x=[1, 2], y=[1, 2, 3])
