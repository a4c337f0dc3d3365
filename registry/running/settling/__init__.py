"""The commands of ``licet-registry`` by which the office settles, by what is settled.

With ``--json`` each prints one document on stdout.
"""
