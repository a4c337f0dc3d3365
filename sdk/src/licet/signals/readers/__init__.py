"""One module a dialect, or a kind of file: bytes and headers in, signals out."""
