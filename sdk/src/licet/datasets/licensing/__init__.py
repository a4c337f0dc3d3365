"""What licences a dataset needs, what they cost within which budget, taking them, and those that are held."""
