"""What operators see: ``requests`` (a line and a count each), ``logs``, ``meters`` (Prometheus), ``tracing``."""
