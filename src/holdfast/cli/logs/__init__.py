"""What was run in a session: found, shown, followed, exported."""
