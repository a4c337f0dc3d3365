"""The crawlers of AI that robots.txt files name, and what each fetches for, as its operator says.

A site that lets a crawler in has not said what may be done with what it fetches, so ``Allow`` permits nothing here. A
site that shuts one out has said no to what that one is there for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from licet.signals.strictness import Uses
from licet.terms.atoms import TRAINING

_TRAIN: Final[Uses] = TRAINING
_TRAIN_AND_MINE: Final[Uses] = TRAINING | {"mine"}
_INPUT: Final[Uses] = frozenset({"input"})
_SEARCH: Final[Uses] = frozenset({"search"})
_ANSWERS: Final[Uses] = frozenset({"search", "index"})

#: Product token in lower case → what shutting it out denies.
AI_CRAWLERS: Final[Mapping[str, Uses]] = {
    "ai2bot": _TRAIN,
    "ai2bot-dolma": _TRAIN,
    "amazonbot": TRAINING | {"index", "input"},
    "anthropic-ai": _TRAIN,
    "applebot-extended": _TRAIN,
    "bytespider": _TRAIN,
    "ccbot": _TRAIN_AND_MINE,
    "chatgpt-user": _INPUT,
    "claude-searchbot": _ANSWERS,
    "claude-user": _INPUT,
    "claude-web": _TRAIN,
    "claudebot": _TRAIN,
    "cohere-ai": _TRAIN,
    "cohere-training-data-crawler": _TRAIN,
    "diffbot": _TRAIN_AND_MINE,
    "duckassistbot": _INPUT,
    "facebookbot": _TRAIN,
    "google-extended": TRAINING | {"input"},
    "google-cloudvertexbot": _ANSWERS,
    "gptbot": _TRAIN,
    "icc-crawler": _TRAIN_AND_MINE,
    "img2dataset": _TRAIN_AND_MINE,
    "laion-huggingface-processor": _TRAIN_AND_MINE,
    "laiondownloader": _TRAIN_AND_MINE,
    "meta-externalagent": _TRAIN,
    "meta-externalfetcher": _INPUT,
    "mistralai-user": _INPUT,
    "oai-searchbot": _SEARCH,
    "omgili": _TRAIN_AND_MINE,
    "omgilibot": _TRAIN_AND_MINE,
    "pangubot": _TRAIN,
    "perplexity-user": _INPUT,
    "perplexitybot": _ANSWERS,
    "petalbot": _SEARCH,
    "timpibot": _TRAIN,
    "velenpublicwebcrawler": _TRAIN_AND_MINE,
    "webzio-extended": _TRAIN,
    "youbot": _ANSWERS,
}
