"""All SQL of consent, one constant a statement, with the index it relies on; a module for each thing it is about."""
