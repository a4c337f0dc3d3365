"""Terms in plain language: the text that an artist reads before signing, and whose hash is under the signature.

It names who, which works, from when and every one of the ten uses, and ends by not agreeing to anything else.
The same terms, name and count always give the same text.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from licet.errors import InputError
from licet.terms import chinese, english
from licet.terms.document import Terms
from licet.terms.prices import Price
from licet.terms.rules import Rule

LANGUAGES: Final = {"en": english.statement, "zh-Hans": chinese.statement}
SENTENCES: Final = {"en": english.sentences, "zh-Hans": chinese.sentences}
CONDITIONS: Final = {"en": english.asked, "zh-Hans": chinese.asked}
PRICES: Final = {"en": english.price_text, "zh-Hans": chinese.price_text}
DURATIONS: Final = {"en": english.duration_text, "zh-Hans": chinese.duration_text}
MAX_NAME: Final = 200


def plain_text(
    terms: Terms, lang: str, who: str = "", count: int | None = None, unsaid: frozenset[str] = frozenset()
) -> str:
    """Return what ``who`` states with ``terms`` for ``count`` works (None: the whole catalogue), in ``lang``.

    Uses in ``unsaid`` are left out, and what is not named is not agreed to: what is signed leaves out none.
    ``lang`` is ``en`` or ``zh-Hans``. Raises ``InputError`` for another language, for a name that is not one line of
    printable text and for a count below 1.
    """
    if lang not in LANGUAGES:
        raise InputError.field("lang", " or ".join(LANGUAGES), lang)
    if len(who) > MAX_NAME or not who.isprintable():
        raise InputError.field("who", f"one line of at most {MAX_NAME} printable characters", who)
    if count is not None and count < 1:
        raise InputError.field("count", "one or more works", count)
    return LANGUAGES[lang](_grouped(terms, unsaid), who, count)


def sentences(terms: Terms, lang: str, unsaid: frozenset[str] = frozenset()) -> list[str]:
    """Return what `plain_text` says of uses, sentence by sentence: of one work, whoever states it for how many.

    Uses in ``unsaid`` are left out. Raises ``InputError`` for another language than ``en`` and ``zh-Hans``.
    """
    if lang not in SENTENCES:
        raise InputError.field("lang", " or ".join(SENTENCES), lang)
    return SENTENCES[lang](_grouped(terms, unsaid))


def price_text(price: Price, lang: str) -> str:
    """Return what is to be paid, in a few words such as ``US$2 for each work, paid once``.

    Raises ``InputError`` for another language than ``en`` and ``zh-Hans``.
    """
    if lang not in PRICES:
        raise InputError.field("lang", " or ".join(PRICES), lang)
    return PRICES[lang](price)


def duration_text(duration: str, lang: str) -> str:
    """Return how long an ISO 8601 duration of terms is, such as ``2 years``.

    Raises ``InputError`` for another language than ``en`` and ``zh-Hans``.
    """
    if lang not in DURATIONS:
        raise InputError.field("lang", " or ".join(DURATIONS), lang)
    return DURATIONS[lang](duration)


def conditions_text(rule: Rule, lang: str) -> list[str]:
    """Return what ``rule`` asks of whoever accepts it, its price first; nothing for what is allowed or denied.

    Raises ``InputError`` for another language than ``en`` and ``zh-Hans``.
    """
    if lang not in CONDITIONS:
        raise InputError.field("lang", " or ".join(CONDITIONS), lang)
    return list(CONDITIONS[lang](rule)) if rule.permission == "license" else []


def text_hash(text: str) -> str:
    """Return the hex SHA-256 of ``text`` in UTF-8: what ``shown`` in a consent names."""
    return sha256(text.encode()).hexdigest()


def _grouped(terms: Terms, unsaid: frozenset[str] = frozenset()) -> list[tuple[Rule, list[str]]]:
    """Uses under one rule together, in the order of the vocabulary: what is open first, what is shut last."""
    groups: dict[bytes, tuple[Rule, list[str]]] = {}
    for atom, rule in terms.rules.items():
        if atom in unsaid:
            continue
        groups.setdefault(rule.model_dump_json(exclude_none=True).encode(), (rule, []))[1].append(atom)
    order = ("allow", "license", "deny")
    return sorted(groups.values(), key=lambda group: order.index(group[0].permission))
