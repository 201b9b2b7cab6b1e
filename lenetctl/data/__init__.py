"""Pixels and labels: where they are, whether they are whole, and how they come in batches."""
