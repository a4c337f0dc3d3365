"""Processes: answering requests, running the loops, and both with their own database on one machine."""
