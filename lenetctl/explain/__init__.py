"""A page in which a run's own net can be touched: one HTML file, its forward pass in JavaScript."""
