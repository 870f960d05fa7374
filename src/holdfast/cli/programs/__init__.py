"""Programs: on their own as python would run them, and in a session that lives."""
