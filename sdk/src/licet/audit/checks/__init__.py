"""What is checked in an evidence bundle, one module a subject; `licet.audit.verifying` runs them in order."""
