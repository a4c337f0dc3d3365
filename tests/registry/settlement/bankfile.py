"""A bank for tests: statements as camt.053.001.08, valid against the schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

import msgspec

ACCOUNT = "DE89370400440532013000"
NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"


class Booked(msgspec.Struct):
    """One movement; ``parts`` are what it was booked of, if more than one."""

    amount: str
    currency: str = "USD"
    credit: bool = True
    reference: str | None = None  # the servicer's
    structured: Sequence[str] = ()
    text: str = ""
    end_to_end: str = "NOTPROVIDED"
    reversal: bool = False
    returned: bool = False
    status: str = "BOOK"
    booked_on: str = "2026-11-30"
    party: str | None = None
    parts: Sequence[Any] = ()


def entry(booked: Booked) -> str:
    """Return the movement as XML."""
    side = "CRDT" if booked.credit else "DBIT"
    details = "".join(detail(each, each.amount if booked.parts else None) for each in booked.parts or [booked])
    return (
        f'<Ntry><Amt Ccy="{booked.currency}">{booked.amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>'
        + ("<RvslInd>true</RvslInd>" if booked.reversal else "")
        + f"<Sts><Cd>{booked.status}</Cd></Sts><BookgDt><Dt>{booked.booked_on}</Dt></BookgDt>"
        + (f"<AcctSvcrRef>{escape(booked.reference)}</AcctSvcrRef>" if booked.reference else "")
        + f"<BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd><NtryDtls>{details}</NtryDtls></Ntry>"
    )


def detail(booked: Booked, amount: str | None) -> str:
    """Return the details of one payment as XML."""
    structured = "".join(
        f"<Strd><CdtrRefInf><Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry></Tp><Ref>{escape(each)}</Ref></CdtrRefInf></Strd>"
        for each in booked.structured
    )
    text = f"<Ustrd>{escape(booked.text)}</Ustrd>" if booked.text else ""
    side = "Dbtr" if booked.credit else "Cdtr"
    return (
        f"<TxDtls><Refs><EndToEndId>{escape(booked.end_to_end)}</EndToEndId></Refs>"
        + (f'<Amt Ccy="{booked.currency}">{amount}</Amt>' if amount else "")
        + (
            f"<RltdPties><{side}><Pty><Nm>{escape(booked.party)}</Nm></Pty></{side}></RltdPties>"
            if booked.party
            else ""
        )
        + (f"<RmtInf>{text}{structured}</RmtInf>" if text or structured else "")
        + ("<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>" if booked.returned else "")
        + "</TxDtls>"
    )


def statement(
    name: str, *booked: Booked, account: str = ACCOUNT, opening: str = "0", closing: str | None = None, page: str = ""
) -> str:
    """Return one statement; without ``closing`` it says nothing of what is left."""
    holder = f"<IBAN>{account}</IBAN>" if account[:2].isalpha() else f"<Othr><Id>{account}</Id></Othr>"
    last = closing is not None and balance("CLBD", closing)
    return (
        f"<Stmt><Id>{name}</Id>{page}<CreDtTm>2026-12-01T01:00:00</CreDtTm><Acct><Id>{holder}</Id></Acct>"
        + balance("OPBD", opening)
        + (last or "")
        + "".join(map(entry, booked))
        + "</Stmt>"
    )


def balance(code: str, amount: str, currency: str = "USD") -> str:
    """Return a balance as XML."""
    side = "DBIT" if amount.startswith("-") else "CRDT"
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="{currency}">{amount.lstrip("-")}</Amt><CdtDbtInd>{side}</CdtDbtInd>'
        f"<Dt><Dt>2026-11-30</Dt></Dt></Bal>"
    )


def file(*statements: str) -> bytes:
    """Return a file with ``statements``."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{NAMESPACE}"><BkToCstmrStmt>\n'
        "<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-12-01T01:00:00</CreDtTm></GrpHdr>\n"
        + "\n".join(statements)
        + "\n</BkToCstmrStmt></Document>"
    ).encode()
