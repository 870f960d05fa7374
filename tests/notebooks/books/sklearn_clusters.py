"""Clusters and components."""

# %%
import numpy as np
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.datasets import make_blobs
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score

points, truth = make_blobs(n_samples=90, centers=3, cluster_std=0.6, random_state=2)
points[:3].round(3)

# %%
kmeans = KMeans(n_clusters=3, n_init=4, random_state=0).fit(points)
np.bincount(kmeans.labels_)

# %%
kmeans

# %%
round(silhouette_score(points, kmeans.labels_), 3)

# %%
for k in (2, 3, 4):
    print(k, round(KMeans(n_clusters=k, n_init=2, random_state=0).fit(points).inertia_, 1))

# %%
AgglomerativeClustering(n_clusters=3).fit_predict(points)[:20]

# %%
pca = PCA(n_components=2).fit(points)
pca.explained_variance_ratio_.round(3)

# %%
import matplotlib.pyplot as plt

plt.figure(figsize=(3, 2))
plt.scatter(*points.T, c=kmeans.labels_, s=5);

# %%
KMeans(n_clusters=200).fit(points)

# %%
KMeans(n_clusters=3, n_init=1, verbose=1, max_iter=2, random_state=0, tol=0).fit(points[:10]);
