"""Many runs as commands make them: a sweep, a search, a ladder, seeds until it is decided."""
