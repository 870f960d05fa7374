"""Lazy queries and files."""

# %%
import polars as pl

numbers = pl.DataFrame({"n": range(1, 1001)}).with_columns((pl.col("n") % 7).alias("r"))
numbers.write_csv("numbers.csv")
numbers.shape

# %%
query = pl.scan_csv("numbers.csv").filter(pl.col("r") == 3).group_by("r").agg(pl.col("n").sum())
query.collect()

# %%
print(query.explain())

# %%
pl.scan_csv("missing.csv").collect()

# %%
numbers.lazy().select(pl.col("n").cum_sum().last()).collect().item()

# %%
numbers.lazy().select(pl.col("n") + pl.lit("x")).collect()

# %%
pl.SQLContext(numbers=numbers).execute("select r, count(*) as c from numbers group by r order by r", eager=True)

# %%
numbers.select(pl.col("n").map_elements(lambda n: n * 2, return_dtype=pl.Int64)).head(2)

# %%
numbers.head(3).to_numpy()

# %%
numbers.write_parquet("numbers.parquet")
pl.read_parquet("numbers.parquet").equals(numbers)

# %%
numbers

# %%
pl.Series("s", [1, 2, 3]).rolling_mean(2)
