"""Terms: a rule for each of the ten uses, read from what people write, hashed in one canonical form.

A terms file (``--terms FILE.toml``) names every use, or starts from a preset and replaces whole rules::

    preset = "paid"                     # optional: no-ai, research or paid
    price = { model = "per-training-run", amount = 0.05, currency = "USD" }   # for preset "paid"

    [evaluate]                          # replaces the preset's rule for this use
    permission = "license"              # deny, license or allow; a bare text is short for it: evaluate = "deny"
    audience = ["research", "non-commercial"]
    territory = { allow = ["EU", "JP"], deny = ["DE"] }
    valid_from = 2026-12-01             # inclusive; a date is its first moment in UTC
    valid_until = 2028-01-01            # exclusive
    grant_term = "P2Y"
    model_scope = "one-version"
    open_weights = false
    attribution = { text = "Su Tang", url = "https://example.org/su" }
    reporting = { every = "P3M" }
    revocation = { notice_days = 30, effect = "stop-new-runs" }
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, Self

from pydantic import Field, ValidationError

from licet import canonical
from licet.errors import InputError, MalformedError
from licet.terms.atoms import ATOMS, VOCAB
from licet.terms.prices import Price
from licet.terms.reading import Written, input_error
from licet.terms.rules import Rule

MAX_BYTES: Final = 65_536
_INTERNED: Final = 65_536


class Rules(Written):
    """The ten rules by name; none may be missing and there is no other."""

    search: Rule
    index: Rule
    mine: Rule
    train_nongen: Annotated[Rule, Field(alias="train-nongen")]
    train_gen: Annotated[Rule, Field(alias="train-gen")]
    finetune_style: Annotated[Rule, Field(alias="finetune-style")]
    input: Rule
    generate: Rule
    evaluate: Rule
    redistribute: Rule


class Terms:
    """A permission and its conditions for each of the ten uses; equal terms have equal `hash` and `encoded`."""

    vocab: int
    rules: Mapping[str, Rule]

    def __init__(self, rules: Mapping[str, Rule], vocab: int = VOCAB) -> None:
        """Take rules that are already read; from what people wrote, use `parse`."""
        if set(rules) != set(ATOMS):
            raise InputError.field("terms", f"a rule for each of {', '.join(ATOMS)}", sorted(rules))
        self.rules = MappingProxyType({atom: rules[atom] for atom in ATOMS})
        self.vocab = vocab

    @classmethod
    def parse(cls, obj: Mapping[str, Any]) -> Self:
        """Return the terms that ``{atom: rule}`` or ``{"vocab": …, "terms": {atom: rule}}`` write.

        All ten uses must be named. Raises ``InputError`` that names the field, such as ``train-gen.price.amount``.
        """
        if not isinstance(obj, Mapping):
            raise InputError.field("terms", "an object with a rule for each use", obj)
        vocab: Any = VOCAB
        if "vocab" in obj or "terms" in obj:
            for name in obj:
                if name not in ("vocab", "terms"):
                    raise InputError.field("terms", "only vocab and terms beside each other", name)
            vocab, obj = obj.get("vocab", VOCAB), obj.get("terms", {})
        if type(vocab) is not int or vocab != VOCAB:
            raise InputError.field("vocab", f"version {VOCAB} of the vocabulary", vocab)
        if not isinstance(obj, Mapping):
            raise InputError.field("terms", "an object with a rule for each use", obj)
        for atom in obj:
            if atom not in ATOMS:
                raise InputError.field("terms", f"only uses out of {', '.join(ATOMS)}", atom)
        try:
            rules = Rules.model_validate(dict(obj))
        except ValidationError as error:
            raise input_error(error, Rules) from None
        return cls({field.alias or name: getattr(rules, name) for name, field in Rules.model_fields.items()}, vocab)

    @classmethod
    def from_toml(cls, path: Path | str) -> Self:
        """Return the terms of a file in the form at the head of this module; raises ``InputError``."""
        from licet.terms.presets import preset

        try:
            data = Path(path).read_bytes()
            if len(data) > MAX_BYTES:
                raise InputError(f"{path}: expected at most {MAX_BYTES} bytes of TOML, got {len(data)}")
            document = tomllib.loads(data.decode(), parse_float=str)
        except OSError as error:
            raise InputError(f"{path}: expected a terms file, got {error.strerror or error}") from None
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path}: expected TOML in UTF-8, got {error}") from None
        vocab = document.pop("vocab", VOCAB)
        rules: dict[str, Any] = {}
        name, price = document.pop("preset", None), document.pop("price", None)
        if name is not None:
            rules = dict(preset(name, None if price is None else read_price(price)).rules)
        elif price is not None:
            raise InputError.field("price", "a preset beside it (a rule has its own price)", "no preset")
        return cls.parse({"vocab": vocab, "terms": rules | document})

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Return the terms whose `encoded` bytes are exactly ``data``; raises ``MalformedError``."""
        value = canonical.decode(data, limit=MAX_BYTES)
        try:
            terms = cls.parse(value)
        except InputError as error:
            raise MalformedError(error.message, **error.details) from None
        if terms.encoded != data:
            raise MalformedError("terms: expected their canonical form, got another spelling of the same terms")
        return terms

    def to_json(self) -> dict[str, Any]:
        """Return ``{atom: rule}`` in canonical form: no nulls, lists sorted and unique, shortest decimals."""
        return {atom: rule.to_json() for atom, rule in self.rules.items()}

    @cached_property
    def encoded(self) -> bytes:
        """The canonical bytes of ``{"terms": …, "vocab": …}``."""
        return canonical.encode({"vocab": self.vocab, "terms": self.to_json()})

    @cached_property
    def hash(self) -> str:
        """Hex SHA-256 of `encoded`: what statements and licences name."""
        return canonical.digest({"vocab": self.vocab, "terms": self.to_json()})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Terms) and self.encoded == other.encoded

    def __hash__(self) -> int:
        return hash(self.encoded)

    def __repr__(self) -> str:
        named = ", ".join(f"{atom}={rule.permission}" for atom, rule in self.rules.items() if rule.permission != "deny")
        return f"Terms({named or 'deny all'})"


@lru_cache(maxsize=_INTERNED)
def intern(encoded: bytes) -> Terms:
    """Return the one object for these canonical bytes (the last 65,536 are kept); raises ``MalformedError``."""
    return Terms.decode(encoded)


def read_price(value: Any) -> Price:
    """Return the price that a person wrote as an object; raises ``InputError`` that names the field."""
    if isinstance(value, Price):
        return value
    try:
        return Price.model_validate(value)
    except ValidationError as error:
        raise input_error(error, Price, "price") from None


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of ``{atom: rule}``."""
    return Rules.model_json_schema(by_alias=True)
