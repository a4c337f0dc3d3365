"""RSL's Open License Protocol: crawlers of others show with a token that they hold a licence of ours.

A crawler meets our address as the ``server`` of an RSL document and asks ``POST /token`` with its client credentials:
the account's identifier and a token of scope ``license``. What it gets stands for a licence that it holds already, or
for terms that allow the use to everybody: nothing is bought here. Whoever serves the picture asks ``POST /introspect``,
and the answer is that of this moment: a licence that ran out, was revoked, or terms that changed end the token.
"""
