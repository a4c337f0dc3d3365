"""Benchmarks: each module measures one thing beside a peer that does the same work, in the same run."""
