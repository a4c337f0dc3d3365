"""The transparency log as its readers see it: Merkle proofs, signed notes, checkpoints, tiles, entries.

Formats are those of C2SP (tlog-tiles, tlog-checkpoint, signed-note, tlog-proof) over RFC 6962 trees.
"""
