"""Rows as Python's own tables hold them: Arrow, pandas, polars and Hugging Face; and results as notebooks show them."""
