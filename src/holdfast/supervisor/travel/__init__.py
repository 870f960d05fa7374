"""Earlier states of the session: which there are, what they cost, and the way to each and back."""
