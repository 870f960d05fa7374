"""Who lives: the template, the worker, standbys and their doubles; who has died; who is the worker next."""
