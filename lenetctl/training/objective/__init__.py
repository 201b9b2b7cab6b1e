"""What training makes small, and how it curves."""
