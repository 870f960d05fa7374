"""A pipeline, its parameters, and its picture in HTML."""

# %%
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

rng = np.random.default_rng(0)
houses = pd.DataFrame({"area": rng.integers(40, 200, 60), "town": rng.choice(["A", "B", "C"], 60)})
price = houses.area * 3 + houses.town.map({"A": 0, "B": 50, "C": 90}) + rng.normal(0, 5, 60)
houses.describe(include="all")

# %%
columns = make_column_transformer((StandardScaler(), ["area"]), (OneHotEncoder(), ["town"]))
model = make_pipeline(columns, Ridge())
model

# %%
round(model.fit(houses, price).score(houses, price), 4)

# %%
search = GridSearchCV(model, {"ridge__alpha": [0.1, 1, 10]}, cv=3)
search.fit(houses, price)
search.best_params_

# %%
pd.DataFrame(search.cv_results_)[["param_ridge__alpha", "rank_test_score"]]

# %%
model.predict(pd.DataFrame({"area": [100], "town": ["D"]}))

# %%
model.get_params()["ridge__alpha"], model.named_steps

# %%
model.set_params(ridge__beta=1)

# %%
from sklearn import set_config

set_config(display="text")
model

# %%
set_config(display="diagram")
GridSearchCV(model, {"ridge__alpha": [0.1, 1, 10]}, cv=3, verbose=1).fit(houses, price);

# %%
Ridge(alpha="much").fit([[1]], [1])
