"""What a change does: rung by rung of a ladder, image by image."""
