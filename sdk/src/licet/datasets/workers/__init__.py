"""Work that is done by many: pieces of it, given to processes here or on other machines."""
