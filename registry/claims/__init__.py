"""What accounts prove of themselves: the domains that they control, and what their claim level owes to it."""
