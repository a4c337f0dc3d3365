"""Derivatives: pictures that show a registered one cropped, framed, tilted or among others.

Local features of a picture (`extracting`), quantised to numbers and bits (`describing`), travel and are kept in one
compact form (`features`). An inverted index (`segment`, `searching`) proposes works; where features lie (`geometry`)
and what a coarse raster shows there (`raster`) decide. What is found is a reason to look, ``review``, and never more.
Figures and how they were got: docs/internals/derivatives.
"""
