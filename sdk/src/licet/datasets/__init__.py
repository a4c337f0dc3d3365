"""From a dataset to what may be kept of it, and what is owed for it.

From the ground up, each room imports only those before it: ``forms`` opens what a person named as parts that stream
rows; ``frames`` takes tables of Python; ``examining`` finds out what each row is and decides; ``results`` are the files
that a job leaves; ``licensing`` takes what is missing; ``usage`` is what comes after; ``filtering`` is the whole job.
Above stand the faces: ``session`` and its asynchronous twin, ``stream``, ``annotate`` and ``checking``.
"""
