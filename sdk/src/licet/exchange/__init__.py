"""What is asked of the service and what its answers mean, as plain values: no socket is opened and nobody waits here.

`calls` says what is asked, `answers` what came back, `retrying` what to do next; `licet.transport` carries it out.
"""
