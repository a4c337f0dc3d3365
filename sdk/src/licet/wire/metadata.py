"""What may be said of a work beside its keys: title, creator, date, tags, external id. The same limits on both sides.

Every function returns the form that is kept and raises ``InputError`` that names the field.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from typing import Final

from licet.characters import hidden, without_hidden
from licet.errors import InputError

MAX_TITLE: Final = 300
MAX_CREATOR: Final = 200
MAX_TAGS: Final = 30
MAX_TAG: Final = 64
MAX_EXTERNAL: Final = 200

_CREATED: Final = re.compile(r"\d{4}(-\d\d){0,2}", re.ASCII)


def title_of(value: str | None) -> str | None:
    """Return a title, None for none."""
    return _text("title", value, MAX_TITLE)


def creator_of(value: str | None) -> str | None:
    """Return who made a work, None for nobody named."""
    return _text("creator", value, MAX_CREATOR)


def external_id_of(value: str | None) -> str | None:
    """Return the owner's own identifier of a work, None for none."""
    return _text("external_id", value, MAX_EXTERNAL)


def created_of(value: str | None) -> str | None:
    """Return a year, month or day, None for none."""
    text = (value or "").strip()
    if not text:
        return None
    if _CREATED.fullmatch(text):
        try:
            date.fromisoformat(text + "-01-01"[len(text) - 4 :])
        except ValueError:
            pass
        else:
            return text
    raise InputError.field("created", "a year, month or day such as 2019, 2019-04 or 2019-04-30", value)


def tags_of(values: Sequence[str]) -> list[str]:
    """Return tags, each once, in the order given."""
    if len(values) > MAX_TAGS:
        raise InputError.field("tags", f"at most {MAX_TAGS}", f"{len(values)} tags")
    tags = [_text("tags", value, MAX_TAG) for value in values]
    return list(dict.fromkeys(tag for tag in tags if tag))


def title_from(name: str) -> str | None:
    """Return a title made from a file's name: whatever a title cannot hold is left out of it."""
    plain = unicodedata.normalize("NFC", without_hidden(name, " "))
    return (
        without_hidden(" ".join(plain.split())[:MAX_TITLE]).strip() or None
    )  # a joiner where it was cut joins nothing


def _text(field: str, value: str | None, limit: int) -> str | None:
    if value is None:
        return None
    plain = unicodedata.normalize("NFC", value).strip()
    if len(plain) > limit:
        raise InputError.field(field, f"at most {limit} characters", f"{len(plain)} characters")
    if (unseen := hidden(plain)) is not None:
        raise InputError.field(field, f"one line without hidden characters such as {unseen}", value)
    return plain or None
