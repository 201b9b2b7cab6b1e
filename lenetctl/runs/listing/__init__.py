"""Runs as rows of a table, and conditions on them."""
