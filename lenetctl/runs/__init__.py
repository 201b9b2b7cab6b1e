"""One run: its folder, its records, and the function that does it."""
