"""Where a use takes place: ISO 3166-1 alpha-2 codes, and ``EU`` for the member states together.

``EU`` stands for its members in both directions. Terms that allow ``EU`` allow a request for ``DE``; terms
that deny ``DE`` deny a request for ``EU``, because that request includes Germany; terms that allow ``DE``
alone do not allow a request for ``EU``, but terms that list all 27 members do.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

EU: Final = "EU"

# ISO 3166-1 alpha-2, officially assigned (2026-01).
COUNTRIES: Final = frozenset(
    """AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY
    BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM
    FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT
    JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN
    MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT
    PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL
    TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW""".split()
)
EU_MEMBERS: Final = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()
)
CODES: Final = COUNTRIES | {EU}


def expand(codes: Iterable[str]) -> frozenset[str]:
    """Return the countries that ``codes`` stand for; ``EU`` becomes its members."""
    found = set(codes)
    if EU in found:
        found.remove(EU)
        found |= EU_MEMBERS
    return frozenset(found)


def compress(countries: Iterable[str]) -> tuple[str, ...]:
    """Return the shortest sorted codes for ``countries``: all members together are written ``EU``."""
    found = set(countries)
    if found >= EU_MEMBERS:
        found = (found - EU_MEMBERS) | {EU}
    return tuple(sorted(found))
