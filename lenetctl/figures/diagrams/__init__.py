"""Pictures of a net, from its plan of layers alone."""
