"""A foreign program as a worker: `holdfast.embed`. It is left as it was found."""
