"""Grouping, joining and reshaping."""

# %%
import pandas as pd

sales = pd.DataFrame({
    "shop": ["North", "South", "North", "East", "South", "East"],
    "item": ["tea", "tea", "rice", "rice", "salt", "tea"],
    "units": [3, 5, 2, 8, 1, 4],
    "price": [2.5, 2.4, 1.2, 1.1, 0.5, 2.6],
})
sales.assign(total=sales.units * sales.price)

# %%
sales.groupby("shop")["units"].sum()

# %%
sales.groupby("shop").agg(units=("units", "sum"), best=("price", "max"), kinds=("item", "nunique"))

# %%
sales.groupby("shop")

# %%
for shop, part in sales.groupby("shop"):
    print(shop)
    display(part.reset_index(drop=True))

# %%
sales.pivot_table(index="shop", columns="item", values="units", aggfunc="sum", fill_value=0)

# %%
towns = pd.DataFrame({"shop": ["North", "South", "West"], "town": ["Kiruna", "Malmo", "Goteborg"]})
sales.merge(towns, on="shop", how="outer", indicator=True)

# %%
sales.melt(id_vars=["shop", "item"]).tail(3)

# %%
sales.merge(towns, on="town")

# %%
pd.concat({"a": sales.head(1), "b": sales.tail(1)})

# %%
sales.sort_values(["shop", "units"], ascending=[True, False]).reset_index(drop=True).T

# %%
sales.select_dtypes("number").corr().round(3)

# %%
sales.query("units > 2 and item == 'tea'").index

# %%
pd.Series([1, 2, 3], name="n", dtype="category")
