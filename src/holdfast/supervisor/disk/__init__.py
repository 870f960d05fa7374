"""What of the namespace is on disk: when it is written, what comes back after a reboot, what does not."""
