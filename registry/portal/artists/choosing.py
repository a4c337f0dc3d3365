"""What a form of terms says: which works, and which terms; read alike for the preview and for the signature.

Four cards, the strictest first. Works that all have the same terms begin with these, as far as the cards can say them.
Whatever a form does not say is denied; what it says wrongly is an error that names the field, and nothing is guessed.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from licet import identifiers, times
from licet.errors import InputError
from licet.terms import ATOMS, Terms, preset, read_price
from registry.consent.service import known_terms
from registry.consent.shown import all_of
from registry.database import Connection
from registry.errors import Invalid
from registry.portal.artists import queries
from registry.portal.frame.forms import Form

MOST: Final = 20_000  # works under one signature of a browser; the rest at the next one
CARDS: Final = ("no-ai", "research", "paid", "own")
CURRENCIES: Final = ("CNY", "USD", "EUR")
PERMISSIONS: Final = ("deny", "license", "allow")
STRICTEST: Final[dict[str, str]] = {atom: preset(CARDS[0]).rules[atom].permission for atom in ATOMS}
_KEEP: Final = "keep"
Scope = Literal["works", "all", "unsigned", "undo"]
_SCOPES: Final = ("works", "all", "unsigned", "undo")


class Choice(NamedTuple):
    """A form of terms as it was filled in; ``wrong``: the name of the words that say what is not right, if anything."""

    scope: Scope
    works: list[UUID]
    card: str
    amount: str
    currency: str
    until: str
    atoms: dict[str, str]
    undoes: str  # the statement that is taken back, of scope undo
    terms: Terms
    wrong: str | None = None
    begins: str | None = None  # the name of the words for why it does not begin with what is in force


class Filled(NamedTuple):
    """The fields of a form that say some terms."""

    card: str
    amount: str = ""
    currency: str = CURRENCIES[0]
    until: str = ""
    atoms: dict[str, str] = STRICTEST


async def chosen(conn: Connection, account: UUID, form: Form) -> Choice:
    """Return what ``form`` says, with the strictest terms in the place of those that cannot be read.

    Raises ``Invalid`` for works that are none, and for more than can be signed at once.
    """
    scope = form.get("scope", "works")
    if scope not in _SCOPES:
        raise Invalid.field("scope", " or ".join(_SCOPES), scope)
    undoes = form.get("undoes")
    wrong = begins = None
    filled = _filled(form)
    if scope == "undo":
        works, terms = await _undone(conn, account, undoes)
        filled = filled._replace(card=_KEEP)
    else:
        works = await _works(conn, account, scope, form)
        if scope == "works" and not form.get("card"):
            filled, begins = await _in_force(conn, account, works)
        try:
            terms = terms_of(*filled)
        except InputError as error:
            wrong, terms = _named(error), preset(CARDS[0])
    return Choice(scope, works, *filled, undoes, terms, wrong, begins)  # type: ignore[arg-type]


def _filled(form: Form) -> Filled:
    """Return what ``form`` says of terms; a form that names no use at all begins with the strictest card's."""
    named = any(form.all(f"atom-{atom}") for atom in ATOMS)
    atoms = {atom: form.get(f"atom-{atom}", "deny") for atom in ATOMS} if named else STRICTEST
    amount, until = form.get("amount").strip(), form.get("until").strip()
    return Filled(form.get("card", CARDS[0]), amount, form.get("currency", CURRENCIES[0]), until, atoms)


async def _in_force(conn: Connection, account: UUID, works: list[UUID]) -> tuple[Filled, str | None]:
    """Return the form that says what is in force on all ``works``, else the strictest, and why it is that."""
    rows = await conn.fetch(queries.IN_FORCE, works, account)
    stated = [row["own"] for row in rows]
    if not any(stated):
        return Filled(CARDS[0]), None
    if len(stated) > 1:
        return Filled(CARDS[0]), "begins_mixed"
    filled = filled_of((await known_terms(conn, [], stated[0]))[stated[0]])
    return (Filled(CARDS[0]), "begins_more") if filled is None else (filled, None)


def filled_of(terms: Terms) -> Filled | None:
    """Return the form that says exactly ``terms``; None where they have conditions that no card can say."""
    atoms: dict[str, str] = {atom: terms.rules[atom].permission for atom in ATOMS}
    priced = [rule for rule in terms.rules.values() if rule.permission == "license"]
    amount, currency, until = "", CURRENCIES[0], ""
    if priced and priced[0].price is not None:
        first = priced[0].price.to_json()
        amount, currency = str(first.get("amount", "")), str(first.get("currency", currency))
        if (end := priced[0].to_json().get("valid_until")) is not None:
            until = str(date.fromisoformat(end[:10]) - timedelta(days=1))
    for card in CARDS:
        found = Filled(card, amount, currency, until, atoms)
        try:
            if terms_of(*found).hash == terms.hash:
                return found
        except InputError:  # such as a last day that is past
            continue
    return None


def terms_of(card: str, amount: str, currency: str, until: str, atoms: dict[str, str]) -> Terms:
    """Return the terms of a filled-in card; raises ``InputError`` naming the field."""
    if card in ("no-ai", "research"):
        return preset(card)
    if card not in CARDS:
        raise InputError.field("card", " or ".join(CARDS), card)
    if card == "paid":
        rules = preset("paid", read_price(_price(amount, currency))).to_json()
    else:
        rules = {atom: _rule(atom, permission, amount, currency) for atom, permission in atoms.items()}
    last = last_moment(until)
    for rule in rules.values():
        if last is not None and rule["permission"] == "license":
            rule["valid_until"] = last
    return Terms.parse(rules)


def _rule(atom: str, permission: str, amount: str, currency: str) -> dict[str, Any]:
    if permission not in PERMISSIONS:
        raise InputError.field(f"atom-{atom}", " or ".join(PERMISSIONS), permission)
    if permission != "license":
        return {"permission": permission}
    return {"permission": "license", "price": _price(amount, currency)}


def _price(amount: str, currency: str) -> dict[str, str]:
    if currency not in CURRENCIES:
        raise InputError.field("currency", " or ".join(CURRENCIES), currency)
    if not amount:
        raise InputError.field("amount", "an amount", "nothing")
    return {"model": "per-training-run", "amount": amount, "currency": currency}


def last_moment(until: str) -> str | None:
    """Return the moment after the last day that is named; raises ``InputError`` for a day that is none or past."""
    if not until:
        return None
    try:
        day = date.fromisoformat(until)
    except ValueError:
        raise InputError.field("until", "a day such as 2027-12-31", until) from None
    if day <= times.now().date():
        raise InputError.field("until", "a day to come", until)
    return f"{day + timedelta(days=1)}T00:00:00.000Z"


def _named(error: InputError) -> str:
    field = str(error.details.get("field", ""))
    known = next((name for name in ("until", "currency", "amount") if name in field), "card")
    return f"wrong_{known}"


async def _works(conn: Connection, account: UUID, scope: str, form: Form) -> list[UUID]:
    if scope == "works":
        found = sorted({identifiers.to_uuid(each, "wrk", field="w") for each in form.all("w")})
    else:
        found = await all_of(conn, account, MOST + 1, unsigned=scope == "unsigned")
        found = found[:MOST] if scope == "unsigned" else found
    if len(found) > MOST:
        raise Invalid.field("w", f"at most {MOST} works", f"{len(found)} works")
    return sorted(found)


async def _undone(conn: Connection, account: UUID, statement: str) -> tuple[list[UUID], Terms]:
    """Return works on which ``statement`` waits, and the terms that are in force there: one group of them at a time."""
    number = identifiers.to_uuid(statement, "stm", field="undoes")
    for group in await conn.fetch(queries.WAITING_ON, number, account):
        if group["own"] is not None:
            return list(group["works"]), (await known_terms(conn, [], group["own"]))[group["own"]]
    return [], preset(CARDS[0])
