"""Flowers, sorted by their measures."""

# %%
import numpy as np
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import classification_report, confusion_matrix
from sklearn.model_selection import cross_val_score, train_test_split

iris = load_iris(as_frame=True)
iris.frame.head()

# %%
X_train, X_test, y_train, y_test = train_test_split(iris.data, iris.target, random_state=4, stratify=iris.target)
X_train.shape, X_test.shape

# %%
model = LogisticRegression(max_iter=500)
model.fit(X_train, y_train)

# %%
model.score(X_test, y_test)

# %%
print(classification_report(y_test, model.predict(X_test), target_names=iris.target_names))

# %%
confusion_matrix(y_test, model.predict(X_test))

# %%
LogisticRegression().predict([[1, 2, 3, 4]])

# %%
model.predict(np.array([[5.1, 3.5, 1.4, 0.2]]))

# %%
hasty = LogisticRegression(max_iter=3).fit(X_train, y_train)

# %%
cross_val_score(model, iris.data, iris.target, cv=3).round(3)

# %%
from sklearn.tree import DecisionTreeClassifier, export_text

tree = DecisionTreeClassifier(max_depth=2, random_state=0).fit(X_train, y_train)
print(export_text(tree, feature_names=list(iris.feature_names)))

# %%
tree.tree_.node_count, tree.get_depth()

# %%
import matplotlib.pyplot as plt
from sklearn.tree import plot_tree

plt.figure(figsize=(4, 3))
plot_tree(tree);
