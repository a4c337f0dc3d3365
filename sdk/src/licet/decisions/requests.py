"""What a trainer wants to do: the question that terms are asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from licet.errors import InputError
from licet.terms import reading
from licet.terms.atoms import ATOMS, AUDIENCES, TRADES

MODEL_SCOPES: Final = ("one-version", "family")
_MODEL: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}@[A-Za-z0-9][\w.+-]{0,63}", re.ASCII)
_MAX_LICENSEE: Final = 200

T = TypeVar("T")


class Request(msgspec.Struct, frozen=True):
    """A use, as the one who asks declares it. Building one from something wrong raises ``InputError``.

    A fact left at None is not answered: where terms ask for it the verdict is ``review``, reason ``needs:<field>``.
    ``purpose`` always holds ``commercial`` or ``non-commercial``; where neither was said it is ``commercial``.
    Tuples are sorted and unique, so equal requests are equal however they were written.
    """

    uses: tuple[str, ...]
    purpose: tuple[str, ...] = ("commercial",)
    model: str | None = None  # ORG/NAME@VERSION
    model_scope: str = "one-version"
    open_weights: bool | None = None
    territory: tuple[str, ...] | None = None  # ISO 3166-1 alpha-2, or EU
    sublicense: bool | None = None
    exclusive: bool | None = None
    at: str | None = None  # licet.times text, fixed once per job
    licensee: str | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            uses: str | Iterable[str],
            purpose: str | Iterable[str] = ("commercial",),
            model: str | None = None,
            model_scope: str = "one-version",
            open_weights: bool | None = None,
            territory: str | Iterable[str] | None = None,
            sublicense: bool | None = None,
            exclusive: bool | None = None,
            at: str | date | None = None,
            licensee: str | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        self._set("uses", _several(self.uses, ATOMS, "uses", f"one or more of {', '.join(ATOMS)}"))
        purpose = _several(
            () if self.purpose is None else self.purpose,
            AUDIENCES,
            "purpose",
            f"any of {', '.join(AUDIENCES)}",
            empty=True,
        )
        self._set("purpose", stated_purpose(purpose))
        if self.model is not None and not (isinstance(self.model, str) and _MODEL.fullmatch(self.model)):
            raise InputError.field("model", "ORG/NAME@VERSION such as acme/lantern@2", self.model)
        if self.model_scope not in MODEL_SCOPES:
            raise InputError.field("model_scope", " or ".join(MODEL_SCOPES), self.model_scope)
        for name in ("open_weights", "sublicense", "exclusive"):
            if not isinstance(getattr(self, name), bool | None):
                raise InputError.field(name, "true or false", getattr(self, name))
        if self.territory is not None:
            self._set("territory", _field("territory", reading.codes, self.territory))
        if self.at is not None:
            self._set("at", _field("at", reading.moment, self.at))
        named = self.licensee
        if named is not None and not (isinstance(named, str) and 0 < len(named) <= _MAX_LICENSEE):
            raise InputError.field("licensee", "an organisation", named)

    def _set(self, name: str, value: object) -> None:
        msgspec.structs.force_setattr(self, name, value)

    @classmethod
    def make(cls, **written: Any) -> Request:
        """Return the request that a person wrote, as keywords; raises ``InputError`` that names the field."""
        return cls.from_json(written)

    @classmethod
    def from_json(cls, obj: Mapping[str, Any]) -> Request:
        """Return the request that `to_json` wrote; raises ``InputError`` for anything that is none."""
        if not isinstance(obj, Mapping):
            raise InputError.field("request", "an object", obj)
        for name in obj:
            if name not in cls.__struct_fields__:
                raise InputError.field("request", f"only the fields {', '.join(cls.__struct_fields__)}", name)
        if "uses" not in obj:
            raise InputError.field("uses", f"one or more of {', '.join(ATOMS)}", "nothing")
        return cls(**obj)

    def to_json(self) -> dict[str, Any]:
        """Return the canonical JSON form: lists sorted, facts that are not answered left out."""
        answered = {name: getattr(self, name) for name in self.__struct_fields__}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in answered.items()
            if value is not None
        }


def stated_purpose(purpose: tuple[str, ...]) -> tuple[str, ...]:
    """Return ``purpose`` with ``commercial`` added where it says neither commercial nor non-commercial."""
    return purpose if TRADES & set(purpose) else tuple(sorted((*purpose, "commercial")))


def _several(value: Any, known: Iterable[str], field: str, expected: str, *, empty: bool = False) -> tuple[str, ...]:
    if empty and isinstance(value, (list, tuple, set, frozenset)) and not value:
        return ()
    return _field(field, lambda given: reading.several(given, known, expected), value)


def _field(field: str, read: Callable[[Any], T], value: Any) -> T:
    if isinstance(value, Iterable) and not isinstance(value, (str, Mapping, bytes)):
        value = tuple(value)
    try:
        return read(value)
    except InputError as error:
        got = ", ".join(map(str, value)) or "nothing" if isinstance(value, tuple) else value
        raise InputError.field(field, str(error.details.get("expected", error.message)), got) from None
