"""One run and where it is kept."""
