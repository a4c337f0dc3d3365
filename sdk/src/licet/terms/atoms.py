"""The vocabulary: ten uses that do not overlap, and the words that conditions are written in."""

from __future__ import annotations

from typing import Final, Literal, get_args

VOCAB: Final = 1

Atom = Literal[
    "search",
    "index",
    "mine",
    "train-nongen",
    "train-gen",
    "finetune-style",
    "input",
    "generate",
    "evaluate",
    "redistribute",
]
Audience = Literal["commercial", "non-commercial", "research", "education", "government", "personal"]
ModelScope = Literal["one-version", "family"]
RevocationEffect = Literal["stop-new-runs", "retire-model", "unlearn"]  # weakest duty first

ATOMS: Final[tuple[str, ...]] = get_args(Atom)
AUDIENCES: Final[tuple[str, ...]] = get_args(Audience)
TRAINING: Final[frozenset[str]] = frozenset({"train-nongen", "train-gen", "finetune-style"})
TRADES: Final[frozenset[str]] = frozenset({"commercial", "non-commercial"})
REVOCATION_EFFECTS: Final[tuple[str, ...]] = get_args(RevocationEffect)
