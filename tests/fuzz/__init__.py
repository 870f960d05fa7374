"""What holds of everything that reads what others have written, and a fuzzer that is guided by coverage."""
