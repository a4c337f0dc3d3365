"""What each standard calls our uses: for every token of it, what its denial covers and what its permission covers.

Names mislead. ``train-ai`` and its like mean generative training alone (AIPREF), training that is not generative
(CAWG), or any training (TDM·AI, ODRL, RSL, PLUS), so every standard has a table of its own. A denial covers every use
that the token may be read to cover; a permission covers a use only if every reading of the token does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from licet.signals.strictness import ALL, TRAINING_AND_INPUT, Uses, mask
from licet.signals.types import Standard
from licet.terms.atoms import TRAINING

NOTHING: Final[Uses] = frozenset()
_GENERATIVE: Final[Uses] = frozenset({"train-gen", "finetune-style"})
#: All that text and data mining may be read to be.
_MINING: Final[Uses] = TRAINING | {"mine", "index", "input", "evaluate"}


class Token(NamedTuple):
    """What saying no to a token covers, and what saying yes to it."""

    denies: Uses
    allows: Uses

    def denied(self) -> int:
        """Return the mask of a no."""
        return mask("deny", self.denies)

    def allowed(self) -> int:
        """Return the mask of a yes."""
        return mask("allow", self.allows)

    def licensed(self) -> int:
        """Return the mask of a yes under conditions."""
        return mask("license", self.denies)

    def doubtful(self) -> int:
        """Return the mask of an answer that cannot be read."""
        return mask("review", self.denies)


def _same(*uses: str) -> Token:
    return Token(frozenset(uses), frozenset(uses))


AIPREF: Final = Standard("aipref", "vocab-07")
AIPREF_LABELS: Final[Mapping[str, Token]] = {
    "train-ai": Token(_GENERATIVE, _GENERATIVE),
    "search": _same("search"),
    # Labels of other drafts that are in use: they may restrict, and permit nothing.
    "train-genai": Token(_GENERATIVE, NOTHING),
    "ai-use": Token(frozenset({"input"}), NOTHING),
}

CONTENT_SIGNALS: Final = Standard("content-signals", "2025-09")
CONTENT_SIGNAL_KEYS: Final[Mapping[str, Token]] = {
    "search": _same("search"),
    "ai-input": _same("input"),
    "ai-train": Token(TRAINING, TRAINING),
}
#: Of ``use=``: ``full`` limits nothing; the others say how long or how much may be kept, which no verdict can.
CONTENT_SIGNAL_USE: Final = Token(frozenset({"index", "input"}), NOTHING)

ROBOTS_META: Final = Standard("robots-meta", "2024")
ROBOTS_META_RULES: Final[Mapping[str, Uses]] = {
    "noai": TRAINING_AND_INPUT,
    "noimageai": TRAINING_AND_INPUT,  # of pictures alone
    "noindex": frozenset({"search"}),
    "noimageindex": frozenset({"search"}),  # of pictures alone
    "none": frozenset({"search"}),
}
#: Rules that speak of the pictures on a page, and not of the page.
FOR_PICTURES: Final = frozenset({"noimageai", "noimageindex"})

ROBOTS: Final = Standard("robots", "rfc9309")
AI_TXT: Final = Standard("ai.txt", "2023-05")

TDMREP: Final = Standard("tdmrep", "cg-2024-05-10")
TDMREP_RESERVATION: Final = Token(_MINING, frozenset({"mine"}))

CAWG: Final = Standard("cawg", "1.1")
CAWG_KEYS: Final[Mapping[str, Token]] = {
    "data_mining": _same("mine", "index"),
    "ai_training": _same("train-nongen"),
    "ai_generative_training": Token(_GENERATIVE, _GENERATIVE),
    "ai_inference": _same("input", "evaluate"),
}

PLUS: Final = Standard("plus", "ldf-2.0.1")
_PROHIBITED: Final[Uses] = _MINING | {"search"}
PLUS_VALUES: Final[Mapping[str, Token]] = {
    "dmi-unspecified": Token(NOTHING, NOTHING),
    "dmi-allowed": Token(NOTHING, frozenset({"mine", "train-nongen", "train-gen"})),
    "dmi-prohibited": Token(_PROHIBITED, NOTHING),
    "dmi-prohibited-aimltraining": Token(TRAINING, NOTHING),
    "dmi-prohibited-genaimltraining": Token(_GENERATIVE, NOTHING),
    "dmi-prohibited-exceptsearchengineindexing": Token(_MINING, frozenset({"search"})),
    # The three that say where the conditions stand.
    "dmi-prohibited-seeconstraint": Token(_PROHIBITED | {"generate"}, NOTHING),
    "dmi-prohibited-seeembeddedrightsexpr": Token(_PROHIBITED, NOTHING),
    "dmi-prohibited-seelinkedrightsexpr": Token(_PROHIBITED, NOTHING),
}

RSL: Final = Standard("rsl", "1.0")
_AI_ALL: Final[Uses] = TRAINING | {"input", "index", "evaluate", "generate"}
RSL_USAGES: Final[Mapping[str, Token]] = {
    "all": Token(ALL, ALL - {"generate", "redistribute", "finetune-style"}),
    "ai-all": Token(_AI_ALL, _AI_ALL - {"generate", "finetune-style"}),
    "ai-train": Token(TRAINING, frozenset({"train-nongen", "train-gen"})),
    "ai-input": _same("input"),
    "ai-index": _same("index"),
    "search": _same("search"),
    "media:ai-generate": _same("generate"),
    # As they are written in the wild; what another draft meant by them decides nothing in favour of a use.
    "train-ai": Token(TRAINING, NOTHING),
    "ai-training": Token(TRAINING, NOTHING),
    "train-genai": Token(_GENERATIVE, NOTHING),
    "ai-use": _same("input"),
    "ai-summarize": Token(frozenset({"input"}), NOTHING),
    "ai-generate": _same("generate"),
}

TDMAI: Final = Standard("tdmai", "1.0")
#: Each is overridden by the next: what is said of all training holds for generative training unless that is named.
TDMAI_NESTED: Final[Mapping[str, Uses]] = {
    "all": frozenset({"mine", "index", "evaluate"}),
    "train-ai": frozenset({"train-nongen"}),
    "train-genai": _GENERATIVE,
}
TDMAI_APART: Final[Mapping[str, Uses]] = {"ai-use": frozenset({"input"}), "search": frozenset({"search"})}

ODRL: Final = Standard("odrl", "2.2")
ODRL_ACTIONS: Final[Mapping[str, Token]] = {
    "use": Token(ALL, NOTHING),
    "reproduce": Token(ALL - {"search"}, NOTHING),
    "derive": Token(TRAINING | {"generate"}, NOTHING),
    "distribute": _same("redistribute"),
    "index": _same("index"),
    "mine": Token(_MINING, frozenset({"mine"})),
    "data-mining": Token(_MINING - {"index", "input"}, frozenset({"mine", "evaluate"})),
    "ai-training": Token(TRAINING, frozenset({"train-nongen"})),
    "gen-ai": Token(_GENERATIVE, _GENERATIVE),
    "ai-augment": _same("input"),
    "search": _same("search"),
}

C2PA: Final = Standard("c2pa", "2")
EXIF: Final = Standard("exif", "3.0")
SCHEMA_ORG: Final = Standard("schema.org", "30")
CROISSANT: Final = Standard("croissant", "1.1")
XMP: Final = Standard("xmp", "iso-16684-1")
