"""A bank's statement (ISO 20022 camt.053.001.08) as entries, one for each movement that it booked.

Only what is booked counts. A movement that the bank booked as one sum of several payments is as many entries, where it
says of each how much; where their sum is not what it booked, the movement stays one entry.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Final

from licet import money
from licet.errors import InputError
from registry.settlement import documents
from registry.settlement.documents import Element
from registry.settlement.references import is_reference, references_in
from registry.settlement.types import BankEntry, BankStatement

MESSAGE: Final = "camt.053.001.08"
_N: Final = {"c": f"urn:iso:std:iso:20022:tech:xsd:{MESSAGE}"}
_MOST_REFERENCES: Final = 50
_LONGEST: Final = 1000  # characters of what a payer wrote
_OPENING: Final = ("OPBD", "PRCD")
_CLOSING: Final = "CLBD"
_NOTHING: Final = frozenset({"NOTPROVIDED", "NONREF", "NOTAVAILABLE"})


def read(data: bytes, file: str = "statement") -> list[BankStatement]:
    """Return the statements in ``data``; raises ``InputError`` that names ``file``, line and what is wrong there."""
    root = documents.read(data, MESSAGE, file)
    return [_statement(each, file) for each in root.iterfind("c:BkToCstmrStmt/c:Stmt", _N)]


def _statement(element: Element, file: str) -> BankStatement:
    name = _text(element, "c:Id") or ""
    account = account_name(_text(element, "c:Acct/c:Id/c:IBAN") or _text(element, "c:Acct/c:Id/c:Othr/c:Id") or "")
    if account is None:
        raise documents.at(file, element, f"statement {name}: expected an account of 1 to 34 letters and digits")
    created = _text(element, "c:CreDtTm") or _text(element.getparent(), "c:GrpHdr/c:CreDtTm") or ""
    entries: list[BankEntry] = []
    seen: Counter[str] = Counter()
    passed_over = 0
    for place, entry in enumerate(element.iterfind("c:Ntry", _N), 1):
        found = list(_entries(entry, f"{name}/{place}", created, seen, file))
        passed_over += not found
        entries += found
    page = _text(element, "c:StmtPgntn/c:PgNb")
    statement = BankStatement(
        account=account,
        name=name,
        page=int(page) if page else 1,
        currency=_text(element, "c:Acct/c:Ccy"),
        created_at=created,
        entries=tuple(entries),
        passed_over=passed_over,
        line=element.sourceline or 1,
    )
    if page is None:
        _hold_balance(element, statement, file)
    return statement


def account_name(text: str) -> str | None:
    """Return the bank's account ``text`` as it is kept, None for what cannot be one."""
    plain = "".join(text.split()).upper()
    return plain if plain.isascii() and plain.isalnum() and len(plain) <= 34 else None


def _entries(entry: Element, place: str, created: str, seen: Counter[str], file: str) -> Iterator[BankEntry]:
    if _text(entry, "c:Sts/c:Cd") != "BOOK":
        return
    whole, currency = _amount(entry.find("c:Amt", _N), file)
    if whole == 0:
        return
    # What the servicer calls it is its own in the account; what the statement calls it, in the statement.
    given = _text(entry, "c:AcctSvcrRef")
    named = (
        f"{given}" if given else f"{place.rpartition('/')[0]}/{_text(entry, 'c:NtryRef') or place.rpartition('/')[2]}"
    )
    seen[named] += 1
    key = named if seen[named] == 1 else f"{named}#{seen[named]}"
    booked = _date(entry, created, file)
    credit, reversal = _text(entry, "c:CdtDbtInd") == "CRDT", _text(entry, "c:RvslInd") in {"true", "1"}
    details = entry.findall("c:NtryDtls/c:TxDtls", _N)
    parts = [_amount(each.find("c:Amt", _N), file) if each.find("c:Amt", _N) is not None else None for each in details]
    if len(details) == 1 or not _adds_up(details, parts, whole, currency, credit=credit):
        yield _entry(key, credit, whole, currency, booked, reversal, details, given)
        return
    for number, (detail, part) in enumerate(zip(details, parts, strict=True), 1):
        assert part is not None  # or they would not add up
        yield _entry(f"{key}.{number}", credit, part[0], currency, booked, reversal, [detail], given)


def _adds_up(
    details: list[Element], parts: list[tuple[int, str] | None], whole: int, currency: str, *, credit: bool
) -> bool:
    ours = "CRDT" if credit else "DBIT"
    if not details or any(_text(each, "c:CdtDbtInd") not in {None, ours} for each in details):
        return False
    return all(part and part[0] and part[1] == currency for part in parts) and whole == sum(
        part[0] for part in parts if part
    )


def _entry(
    key: str,
    credit: bool,
    amount: int,
    currency: str,
    booked: date,
    reversal: bool,
    details: list[Element],
    given: str | None,
) -> BankEntry:
    written: list[str] = []
    references: list[str] = []
    tokens: dict[str, None] = {given: None} if given else {}
    party = end_to_end = None
    returned = False
    for detail in details:
        for each in detail.iterfind("c:Refs/*", _N):
            token = " ".join((each.text or "").split())
            if token and token not in _NOTHING and len(each) == 0:
                tokens[token] = None
        named = _text(detail, "c:Refs/c:EndToEndId")
        end_to_end = end_to_end or (named if named not in _NOTHING else None)
        returned = returned or detail.find("c:RtrInf", _N) is not None
        references += [_text(each, ".") or "" for each in detail.iterfind("c:RmtInf/c:Strd/c:CdtrRefInf/c:Ref", _N)]
        written += [_text(each, ".") or "" for each in detail.iterfind("c:RmtInf/c:Ustrd", _N)]
        side = "Dbtr" if credit else "Cdtr"
        party = (
            party or _text(detail, f"c:RltdPties/c:{side}/c:Pty/c:Nm") or _text(detail, f"c:RltdPties/c:{side}/c:Nm")
        )
    about = " ".join(written)[:_LONGEST]
    found = ["".join(each.split()).upper() for each in references]
    found = [each for each in found if is_reference(each)]
    found += references_in(" ".join([about, *references, end_to_end or ""]))
    unique = tuple(dict.fromkeys(found))[:_MOST_REFERENCES]
    return BankEntry(
        key=key,
        credit=credit,
        amount=amount,
        currency=currency,
        booked_on=booked,
        reversal=reversal or returned,
        references=unique,
        end_to_end=end_to_end,
        tokens=tuple(dict.fromkeys([*tokens, *unique]))[:_MOST_REFERENCES],
        party=party,
        about=about,
    )


def _hold_balance(element: Element, statement: BankStatement, file: str) -> None:
    """A statement that says where it began and ended must have the movements between: none is missing, none twice."""
    found: dict[str, tuple[int, str]] = {}
    for balance in element.iterfind("c:Bal", _N):
        code = _text(balance, "c:Tp/c:CdOrPrtry/c:Cd")
        if code in (*_OPENING, _CLOSING) and code not in found:
            amount, currency = _amount(balance.find("c:Amt", _N), file)
            found[code] = (amount if _text(balance, "c:CdtDbtInd") == "CRDT" else -amount, currency)
    opening = next((found[code] for code in _OPENING if code in found), None)
    closing = found.get(_CLOSING)
    if opening is None or closing is None or opening[1] != closing[1]:
        return
    if any(each.currency != opening[1] for each in statement.entries):
        return
    moved = sum(each.amount if each.credit else -each.amount for each in statement.entries)
    if opening[0] + moved != closing[0]:
        expected = money.Money(opening[1], closing[0] - opening[0])
        raise documents.at(
            file,
            element,
            f"statement {statement.name}: expected entries that add up to {expected}, from its opening to its closing "
            f"balance, got {money.Money(opening[1], moved)}",
        )


def _amount(element: Element | None, file: str) -> tuple[int, str]:
    assert element is not None  # the schema says so
    currency, text = element.get("Ccy") or "", (element.text or "").strip()
    exact = Decimal(text) * money.MICRO
    if exact != int(exact) or exact > money.LARGEST:
        raise documents.at(
            file, element, f"expected an amount of at most {money.to_decimal(money.LARGEST)}, got {text}"
        )
    try:
        return int(exact), money.currency(currency)
    except InputError as error:
        raise documents.at(file, element, error.message) from None


def _date(entry: Element, created: str, file: str) -> date:
    texts = (_text(entry, f"c:{name}/c:{form}") for name in ("BookgDt", "ValDt") for form in ("Dt", "DtTm"))
    text = next((each for each in texts if each), created)
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise documents.at(file, entry, f"expected a date of this era, got {text}") from None


def _text(element: Element | None, path: str) -> str | None:
    found = element if element is None or path == "." else element.find(path, _N)
    text = " ".join(found.text.split()) if found is not None and found.text else ""
    return text or None
