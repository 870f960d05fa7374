"""What tests share: real kernels, a raw client, processes counted. No product code is used here."""
