"""The standby: when and how the worker is copied, what becomes of what it has open, what a copy wakes up to.

The only place that forks, but for the template. Knows no cell, and nothing of how IPython shows things.
"""
