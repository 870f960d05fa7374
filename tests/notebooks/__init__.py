"""The same cells under ipykernel and under Holdfast: whatever a client sees of them should be the same.

Real kernels, real libraries, started and driven through jupyter_client. README.md says how to run it and
where Holdfast differs on purpose. Nothing here knows how either kernel works inside.
"""
