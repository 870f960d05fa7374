"""Days, weeks and months."""

# %%
import numpy as np
import pandas as pd

days = pd.date_range("2024-01-01", periods=90, freq="D", tz="UTC")
visits = pd.Series(np.round(100 + 20 * np.sin(np.arange(90) / 7), 2), index=days, name="visits")
visits

# %%
visits.resample("W").mean().round(2).head()

# %%
visits.rolling(7).mean().dropna().iloc[[0, -1]]

# %%
visits["2024-02"].sum()

# %%
visits["2025-01-01"]

# %%
visits.tz_convert("Europe/Stockholm").index[:2]

# %%
days[0], pd.Timedelta("1 day 2 hours"), pd.Period("2024-02", "M").days_in_month

# %%
visits.diff().abs().nlargest(3)

# %%
frame = visits.to_frame().assign(weekday=days.day_name(), month=days.month)
frame.groupby("weekday", sort=False)["visits"].mean()

# %%
frame.sample(3, random_state=1)

# %%
pd.Timestamp("31 February 2024")

# %%
pd.cut(visits, [0, 90, 110, 200], labels=["low", "usual", "high"]).value_counts()

# %%
frame.to_json(orient="index", date_format="iso")[:120]
