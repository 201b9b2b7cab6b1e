"""Commands that show what a net makes of images."""
