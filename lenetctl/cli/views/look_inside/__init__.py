"""What the commands show that look into a net."""
