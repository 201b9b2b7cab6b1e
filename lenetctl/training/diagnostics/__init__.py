"""Why a net learns or does not: signal and gradient layer by layer, and the learning rate."""
