"""What a row is and what is decided of it: the snapshot that counts, fingerprints, verdicts, concentrated style.

Nothing here writes a file or asks the service for more than the newest snapshot.
"""
