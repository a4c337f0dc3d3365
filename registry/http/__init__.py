"""Manners of the HTTP interface, the same for every route.

``admission``: what every request must be, and how long it may take. ``holding``: how much of what is sent is in memory
at a time. ``bodies``: JSON as exactly what a handler takes. ``problems``: how errors leave (RFC 9457). ``paging``:
lists, a page at a time.
"""
