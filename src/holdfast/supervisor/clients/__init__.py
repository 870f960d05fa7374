"""What clients ask, and what they hear: doors, requests, output in its order, words about the session."""
