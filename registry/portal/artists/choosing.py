"""What a form of terms says: which works, and which terms; read alike for the preview and for the signature.

Four cards, the strictest first; the last one says use by use all that terms can say: no, yes, or one of several sets of
conditions. So works that all have the same terms begin with these, wherever they were made. What a form does not say is
denied; what it says wrongly is an error that names the field, and nothing is guessed.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple
from uuid import UUID

from licet import identifiers
from licet.errors import InputError
from licet.terms import ATOMS, Price, Rule, Terms, preset, read_price
from licet.terms.rules import ALLOW, DENY
from registry.consent.intake import MAX_WORKS
from registry.consent.keeping import known_terms
from registry.consent.together import Together, named, waiting_on
from registry.database import Connection
from registry.errors import Invalid
from registry.portal.artists import conditions, queries
from registry.portal.artists.conditions import Conditions
from registry.portal.artists.fields import CURRENCIES, last_moment
from registry.portal.frame.forms import Form

MOST: Final = 20_000  # works under one signature of a browser; the rest at the next one
CARDS: Final = ("no-ai", "research", "paid", "own")
OWN: Final = CARDS[-1]
MOST_SETS: Final = len(ATOMS)
_PLAIN: Final = {"deny": DENY, "allow": ALLOW}
_ANY_PRICE: Final = Price(model="per-training-run", amount="1", currency=CURRENCIES[0])
_FIRST: Final = (Conditions(),)
_OF_SET: Final = re.compile(r"c[0-9]+-([a-z_]+)")
STRICTEST: Final[dict[str, str]] = {atom: preset(CARDS[0]).rules[atom].permission for atom in ATOMS}
_KEEP: Final = "keep"
Scope = Literal["works", "all", "unsigned", "undo"]
_SCOPES: Final[tuple[Scope, ...]] = ("works", "all", "unsigned", "undo")


class Filled(NamedTuple):
    """The fields of a form that say some terms: a card, what the paid one asks, and every use of one's own terms."""

    card: str
    amount: str = ""
    currency: str = CURRENCIES[0]
    until: str = ""
    atoms: dict[str, str] = STRICTEST  # deny, allow, or the number of the conditions on which it is offered
    sets: tuple[Conditions, ...] = _FIRST


class Choice(NamedTuple):
    """A form of terms as it was filled in; ``wrong``: the name of the words that say what is not right, if anything."""

    scope: Scope
    works: list[UUID]  # those that are named; none of works that are chosen together
    filled: Filled
    undoes: str  # the statement that is taken back, of scope undo
    terms: Terms
    wrong: str | None = None
    field: str | None = None  # which field is wrong
    exactly: str | None = None  # and how, in English
    lost: int = 0  # works that were asked for and left out: they were lost in a dispute, and terms have no effect there
    missing: bool = False  # nothing is there yet: no fault before it is sent
    begins: str | None = None  # the name of the words for why it does not begin with what is in force
    together: Together | None = None

    @property
    def most(self) -> int:
        """How many works are looked at that are chosen together: one beyond those that can be signed at once."""
        return {"all": MOST + 1, "unsigned": MOST}.get(self.scope, MAX_WORKS)

    @property
    def card(self) -> str:
        """Which card is chosen."""
        return self.filled.card

    @property
    def marked(self) -> str | None:
        """Which field is marked as wrong: none that was only not filled in yet."""
        return None if self.missing else self.field


async def chosen(conn: Connection, account: UUID, form: Form) -> Choice:
    """Return what ``form`` says, with the strictest terms in the place of those that cannot be read.

    Raises ``Invalid`` for works that are none, and for more than can be signed at once.
    """
    scope = _scope(form)
    undoes = form.get("undoes")
    begins = None
    filled = _filled(form)
    if scope == "undo":
        together, terms = await _undone(conn, account, undoes)
        return Choice("undo", [], filled._replace(card=_KEEP), undoes, terms, together=together)
    works, lost = list[UUID](), set[UUID]()
    if scope == "works":
        works = _named(form)
        lost = {row["work"] for row in await conn.fetch(queries.LOST, works, account)}
        works = [each for each in works if each not in lost]
        if not form.get("card"):
            filled, begins = await _in_force(conn, account, works)
    together = None if scope == "works" else Together("all" if scope == "all" else "unsigned")
    try:
        terms = terms_of(filled)
    except InputError as error:
        field = str(error.details.get("field", ""))
        missing = str(error.details.get("got")).strip("\"'") == "nothing"
        return Choice(
            scope, works, filled, undoes, preset(CARDS[0]),
            _wrong(field), field, error.message, len(lost), missing, begins, together,
        )  # fmt: skip
    return Choice(scope, works, filled, undoes, terms, lost=len(lost), begins=begins, together=together)


def _scope(form: Form) -> Scope:
    said = form.get("scope", "works")
    scope = next((each for each in _SCOPES if each == said), None)
    if scope is None:
        raise Invalid.field("scope", " or ".join(_SCOPES), said)
    return scope


def _filled(form: Form) -> Filled:
    """Return what ``form`` says of terms; one that names no use at all has those of its card opened for changing."""
    amount, until = form.get("amount").strip(), form.get("until").strip()
    filled = Filled(form.get("card", CARDS[0]), amount, form.get("currency", CURRENCIES[0]), until)
    if not any(form.all(f"atom-{atom}") for atom in ATOMS):
        return opened(filled)
    sets: list[Conditions] = []
    while len(sets) < MOST_SETS and (said := conditions.read(form, len(sets) + 1)) is not None:
        sets.append(said)
    if form.get("more") and len(sets) < MOST_SETS:
        sets.append(Conditions())
    atoms = {atom: form.get(f"atom-{atom}", "deny") for atom in ATOMS}
    filled = filled._replace(atoms=atoms, sets=tuple(sets) or _FIRST)
    return opened(filled)._replace(card=OWN) if form.get("details") else filled


async def _in_force(conn: Connection, account: UUID, works: list[UUID]) -> tuple[Filled, str | None]:
    """Return the form that says what is in force on all ``works``, else the strictest, and why it is that."""
    rows = await conn.fetch(queries.IN_FORCE, works, account)
    stated = [row["own"] for row in rows]
    if not any(stated):
        return Filled(CARDS[0]), None
    if len(stated) > 1:
        return Filled(CARDS[0]), "begins_mixed"
    return filled_of((await known_terms(conn, [], stated[0]))[stated[0]]), None


def filled_of(terms: Terms) -> Filled:
    """Return the form that says exactly ``terms``: by a card that does, else use by use."""
    own = _own(terms)
    first = own.sets[0]
    for card in CARDS[:-1]:
        found = own._replace(card=card, amount=first.amount, currency=first.currency, until=first.until)
        try:
            if terms_of(found).hash == terms.hash:
                return found
        except InputError:  # such as a last day that is past
            continue
    return own


def _own(terms: Terms) -> Filled:
    """Return ``terms`` use by use; rules that ask the same have the same conditions."""
    asked = list(dict.fromkeys(rule for rule in terms.rules.values() if rule.permission == "license"))
    atoms = {
        atom: str(asked.index(rule) + 1) if rule in asked else rule.permission for atom, rule in terms.rules.items()
    }
    return Filled(OWN, atoms=atoms, sets=tuple(conditions.said_of(each) for each in asked) or _FIRST)


def opened(filled: Filled) -> Filled:
    """Return ``filled`` with what its card says written out use by use, also where that cannot be signed yet."""
    if filled.card == OWN or filled.card not in CARDS:
        return filled
    paid = filled.card == "paid"
    own = _own(preset(filled.card, _ANY_PRICE if paid else None))
    if paid:
        said = own.sets[0]._replace(amount=filled.amount, currency=filled.currency, until=filled.until)
        own = own._replace(sets=(said,))
    return filled._replace(atoms=own.atoms, sets=own.sets)


def terms_of(filled: Filled) -> Terms:
    """Return the terms of a filled-in form; raises ``InputError`` naming the field."""
    if filled.card in ("no-ai", "research"):
        return preset(filled.card)
    if filled.card not in CARDS:
        raise InputError.field("card", " or ".join(CARDS), filled.card)
    if filled.card == OWN:
        return Terms({atom: _rule(atom, filled) for atom in ATOMS})
    rules = preset("paid", read_price(_price(filled.amount, filled.currency))).to_json()
    last = last_moment(filled.until)
    for rule in rules.values():
        if last is not None and rule["permission"] == "license":
            rule["valid_until"] = last
    return Terms.parse(rules)


def _rule(atom: str, filled: Filled) -> Rule:
    said = filled.atoms[atom]
    if said in _PLAIN:
        return _PLAIN[said]
    numbers = [str(each + 1) for each in range(len(filled.sets))]
    if said not in numbers:
        raise InputError.field(f"atom-{atom}", " or ".join(("deny", *numbers, "allow")), said)
    try:
        return conditions.rule_of(filled.sets[int(said) - 1])
    except InputError as error:
        field = conditions.named(int(said), str(error.details.get("field")))
        raise InputError.field(field, str(error.details.get("expected")), error.details.get("got")) from None


def _price(amount: str, currency: str) -> dict[str, str]:
    if currency not in CURRENCIES:
        raise InputError.field("currency", " or ".join(CURRENCIES), currency)
    if not amount:
        raise InputError.field("amount", "an amount", "nothing")
    return {"model": "per-training-run", "amount": amount, "currency": currency}


def _wrong(field: str) -> str:
    """Return the name of the words for what is wrong with ``field``."""
    if field.startswith("atom-"):
        return "wrong_atom"
    if (found := _OF_SET.fullmatch(field)) is not None:
        return f"wrong_set_{found[1].removesuffix('_unit')}"
    known = next((name for name in ("until", "currency", "amount") if name in field), "card")
    return f"wrong_{known}"


async def names_of(conn: Connection, account: UUID, choice: Choice) -> list[UUID]:
    """Return the works that are chosen, in the order of their ids; raises ``Invalid`` for too many to sign at once."""
    if choice.together is None:
        return choice.works
    found, lost = await named(conn, account, choice.together, choice.most)
    hold_few(choice, len(found) + lost)
    return found


def hold_few(choice: Choice, count: int) -> None:
    """Raise ``Invalid`` where all works are chosen and they are more than can be signed at once."""
    if choice.scope == "all" and count > MOST:
        raise Invalid.field("w", f"at most {MOST} works", f"{count} works")


def _named(form: Form) -> list[UUID]:
    found = sorted({identifiers.to_uuid(each, "wrk", field="w") for each in form.all("w")})
    if len(found) > MOST:
        raise Invalid.field("w", f"at most {MOST} works", f"{len(found)} works")
    return found


async def _undone(conn: Connection, account: UUID, statement: str) -> tuple[Together | None, Terms]:
    """Return works on which ``statement`` waits, and the terms that are in force there: one group of them at a time."""
    found = await waiting_on(conn, account, identifiers.to_uuid(statement, "stm", field="undoes"))
    if found is None or found.own is None:
        return None, preset(CARDS[0])
    return found, (await known_terms(conn, [], found.own))[found.own]
