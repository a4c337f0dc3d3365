"""Where a stranger or a probe begins: what is here (``welcome``), whether it works and how it is doing (``routes``).

``readiness`` looks at everything that an answer depends on.
"""
