"""A lab report in one file: its parts, and how they become HTML or Markdown."""
