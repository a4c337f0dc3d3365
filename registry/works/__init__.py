"""Works: what artists register, the fingerprints by which it is found, and which works of others match it."""
