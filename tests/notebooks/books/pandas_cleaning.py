"""A small messy table becomes a clean one."""

# %%
import io

import numpy as np
import pandas as pd

pd.set_option("display.width", 100)
raw = io.StringIO("""id,name,joined,amount
1, Ada ,2021-03-04,12.5
2,Grace,2021-13-01,n/a
3,,2022-01-17,7
3,,2022-01-17,7
4,Linus,not yet,-1
""")
orders = pd.read_csv(raw)
orders

# %%
orders.dtypes

# %%
orders.info()

# %%
orders["name"] = orders["name"].str.strip()
orders["joined"] = pd.to_datetime(orders["joined"], errors="coerce")
orders = orders.drop_duplicates()
orders.head(2)

# %%
orders.isna().sum()

# %%
orders["amonut"]

# %%
orders.loc[orders["amount"] < 0, "amount"] = np.nan
orders.describe()

# %%
filled = orders.fillna({"name": "(unknown)", "amount": orders["amount"].mean()})
print(filled)
filled.to_dict("records")

# %%
filled.set_index("id").loc[3]

# %%
pd.to_datetime(["2021-13-01"])

# %%
filled.to_csv("clean.csv", index=False)
pd.read_csv("clean.csv", parse_dates=["joined"]).equals(filled)

# %%
print(open("clean.csv").read())

# %%
pd.DataFrame({"wide": ["x" * 120], "n": [1]})

# %%
pd.DataFrame(np.arange(4000).reshape(200, 20))
