"""From a dataset to what may be kept of it: sources, fingerprints, decisions, licences, reports of use.

``sources`` opens what a person named as parts that stream rows; ``fingerprinting`` finds out what each row is;
``annotate`` asks the index; ``build`` is the whole job with its files; ``recheck``, ``runs`` and ``spool`` come after.
"""
