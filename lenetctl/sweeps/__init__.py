"""Many runs: what is to be run, how, and what is heard of it."""
