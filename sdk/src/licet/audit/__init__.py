"""Evidence, checked without asking anybody: the whole log, and bundles of a period."""
