"""The bodies that travel between a client and the service: one definition, imported by both sides.

Fields that carry identifiers use ``licet.identifiers`` text; digests are lower-case hex; envelopes travel as objects
and are canonicalised again only to be hashed; bytes are base64; money is a decimal string beside a currency.
"""
