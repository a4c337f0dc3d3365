"""The forms that a dataset comes in beside folders of pictures and Parquet: each reads rows, and writes the kept ones.

A form never interprets what it copies: rows and members that are kept come out as the bytes that went in.
"""
