"""Being a kernel for others: what Jupyter starts (`launcher`) and how it finds it (`kernelspec`)."""
