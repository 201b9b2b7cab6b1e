"""What the commands print that show what a net makes of images."""
