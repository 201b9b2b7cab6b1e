"""The run in MLflow that stands for a sweep, and what it says of it."""
