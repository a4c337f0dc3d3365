"""What organisations say they did: datasets, training runs, usage batches; and what it comes to for whom."""
