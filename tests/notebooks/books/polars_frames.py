"""Frames of polars: expressions, joins, windows."""

# %%
import polars as pl

trips = pl.DataFrame({
    "city": ["Oslo", "Bern", "Oslo", "Rome", "Bern"],
    "km": [12.5, 3.0, 7.25, 9.0, None],
    "day": ["2024-05-01", "2024-05-01", "2024-05-02", "2024-05-02", "2024-05-03"],
})
trips

# %%
trips.with_columns(pl.col("day").str.to_date()).schema

# %%
trips.group_by("city", maintain_order=True).agg(pl.col("km").sum(), pl.len())

# %%
trips.filter(pl.col("km") > 5).select("city", (pl.col("km") * 1000).alias("m"))

# %%
trips.select(pl.col("miles"))

# %%
trips["km"]

# %%
trips.describe()

# %%
print(trips.sort("km", descending=True, nulls_last=True))

# %%
trips.with_columns(pl.col("km").rank().over("city").alias("rank"))

# %%
trips.join(pl.DataFrame({"city": ["Oslo", "Bern"], "land": ["NO", "CH"]}), on="city", how="left")

# %%
pl.col("km").mean()

# %%
with pl.Config(tbl_rows=2, tbl_hide_dataframe_shape=True):
    display(trips)

# %%
trips.pivot("day", index="city", values="km", aggregate_function="sum")

# %%
trips.to_dicts()[-1], trips.null_count().row(0)
