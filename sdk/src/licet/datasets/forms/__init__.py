"""The forms that a dataset comes in, here or in a store: each reads rows, and writes the kept ones as it found them.

A form never interprets what it copies: rows and members that are kept come out as the bytes that went in. ``opening``
finds out which form an input has; ``columns`` which of its columns say what a row is.
"""
