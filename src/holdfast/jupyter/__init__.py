"""Being a kernel for others: what Jupyter starts (`launcher`, `provisioner`), how it finds it (`kernelspec`).

Which session a notebook has is in `notebooks`, what a kernelspec's Python can do in `target`.
"""
