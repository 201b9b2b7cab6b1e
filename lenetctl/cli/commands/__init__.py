"""The commands, a thin module each: read options, call the rooms below, print."""
