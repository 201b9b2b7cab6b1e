"""What comes with the code: shipped specs, what each key does, the schema for editors."""
