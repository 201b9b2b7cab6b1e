"""The LeNet family: from a spec to a net."""
