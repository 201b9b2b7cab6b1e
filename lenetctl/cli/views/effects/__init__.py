"""How it is shown what a change does."""
