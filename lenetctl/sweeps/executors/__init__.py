"""How the trials of a sweep are run: one after another, side by side, or as one fleet."""
