"""What the commands about runs as such show."""
