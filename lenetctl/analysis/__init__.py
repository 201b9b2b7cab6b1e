"""What finished runs say: comparison, statistics, activations."""
