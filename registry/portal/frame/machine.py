"""Terms in the forms that crawlers, data sets and files carry: each with what it is, and what it cannot say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from licet.signals.writers import Subject, write

#: What is shown, for people to compare: the first is the terms themselves, the others are dialects of others.
DIALECTS: Final = ("json", "headers", "rsl", "tdmrep.json", "odrl", "cawg", "xmp")
#: Their text is in both languages at once, and a page is in one.
_BILINGUAL: Final = frozenset({"xmp"})
_WORDS: Final = {name: "form_" + name.replace(".", "_") for name in DIALECTS}


class Form(NamedTuple):
    """Terms in one dialect: the name of its words, its text ("": not for this page), where it lies (None: nowhere yet),
    and the uses that it does not speak of, or says no to although they are on offer."""

    words: str
    text: str
    address: str | None
    silent: list[str]
    strict: list[str]


def forms(subject: Subject, addresses: Mapping[str, str] | None = None) -> list[Form]:
    """Return ``subject`` in every form that is shown; ``addresses`` says where those lie that do, by dialect."""
    found = []
    for name in DIALECTS:
        written = write(name, subject)
        lost = written.losses(subject.terms)
        found.append(
            Form(
                _WORDS[name],
                "" if name in _BILINGUAL else written.body.decode(),
                (addresses or {}).get(name),
                [each.use for each in lost if each.lost == "silent"],
                [each.use for each in lost if each.lost == "stricter"],
            )
        )
    return found
