"""By what a picture or an address is found again: exact digests, canonical URLs, PDQ.

``exact``, ``urls`` and ``pdq`` need numpy alone; ``decode`` and ``picture`` need the extra ``licet[images]``, which
is imported at the first picture.
"""
