"""Pictures of what changes do: a ladder, a search."""
