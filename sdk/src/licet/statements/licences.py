"""Licences and use: the same bytes on both sides, so that each can check what the other signed."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final, TypeVar

import msgspec

from licet import canonical, identifiers
from licet.errors import InputError
from licet.log import merkle
from licet.statements.kinds import Agreement, Budget, Event, Licence, LicenceLine, RegistryRef, Total, Use

SECRET_BYTES: Final = 32

T = TypeVar("T")


def quote_digest(quote: msgspec.Struct) -> str:
    """Return the hex digest of a quote's canonical JSON without its own field ``digest``."""
    fields = msgspec.to_builtins(quote)
    fields.pop("digest", None)
    return canonical.digest(fields)


def licence_lines_root(lines: Sequence[LicenceLine]) -> str:
    """Return the hex RFC 6962 root over the canonical JSON of ``lines``, sorted by work id.

    Raises ``InputError`` for one work twice. No lines: the root of the empty tree.
    """
    ordered = _sorted_once(lines, [line.work for line in lines], "lines")
    return merkle.root(merkle.leaf_hash(canonical.encode(line)) for line in ordered).hex()


def licence_payload(
    *,
    registry: RegistryRef,
    genesis: str,
    quote: str,
    digest: str,
    organisation: str,
    use: Use,
    dataset: str | None,
    run: str,
    lines: Sequence[LicenceLine],
    totals: Sequence[Total],
    budget: Sequence[Budget],
    fee_bps: int,
    issued_at: str,
    valid_until: str | None = None,
    agreement: Agreement | msgspec.UnsetType = msgspec.UNSET,
) -> Licence:
    """Return the one licence that accepts a quote: same quote, same bytes, for the organisation and the registry.

    ``quote`` (``quo_…``) gives the licence its id, ``digest`` (of the quote) is its nonce, ``issued_at`` is the
    quote's. ``genesis`` is the organisation's.
    """
    return Licence(
        registry=registry,
        licence=identifiers.from_uuid("lic", identifiers.to_uuid(quote, "quo", field="quote")),
        organisation=organisation,
        genesis=genesis,
        quote=digest,
        use=use,
        dataset=dataset,
        run=run,
        count=len(lines),
        root=licence_lines_root(lines),
        terms=sorted({line.terms_hash for line in lines}),
        totals=sorted(totals, key=lambda total: total.currency),
        budget=sorted(budget, key=lambda each: each.currency),
        fee_bps=fee_bps,
        issued_at=issued_at,
        valid_until=valid_until,
        nonce=digest,
        agreement=agreement,
    )


def event_id(organisation: str, source: str, work: str, run: str, atom: str, unit: str, seq: int) -> str:
    """Return the hex id of one use; ``source`` is the licence, or the statement where there is none.

    Digest of the canonical JSON list of a domain word and these seven, so that reporting again has no second effect.
    """
    return canonical.digest(["licet/event/v1", organisation, source, work, run, atom, unit, seq])


def correction_id(corrected: str, number: int) -> str:
    """Return the hex id of the ``number``th correction of the event ``corrected``: so that each is made once."""
    return canonical.digest(["licet/correction/v1", corrected, number])


def id_of(organisation: str, event: Event) -> str:
    """Return the id that ``event`` must have, as `event_id` or `correction_id`; one without a source has none."""
    if event.corrects is not msgspec.UNSET:
        return correction_id(event.corrects, event.seq)
    source = event.licence or event.statement or ""
    return event_id(organisation, source, event.work, event.run, event.atom, event.unit, event.seq)


def event_leaf(secret: bytes, event: Event) -> bytes:
    """Return the leaf data of ``event``: 32 bytes HMAC-SHA256(secret, id), then its canonical JSON.

    The salt lets one event be shown to its artist without giving away the others. Raises ``InputError`` for a secret
    that is not 32 bytes.
    """
    if len(secret) != SECRET_BYTES:
        raise InputError.field("secret", f"{SECRET_BYTES} bytes", f"{len(secret)} bytes")
    return hmac.digest(secret, event.id.encode(), sha256) + canonical.encode(event)


def events_root(secret: bytes, events: Sequence[Event]) -> str:
    """Return the hex RFC 6962 root over the leaves of ``events``, sorted by id; one id twice is an ``InputError``."""
    ordered = _sorted_once(events, [event.id for event in events], "events")
    return merkle.root(merkle.leaf_hash(event_leaf(secret, event)) for event in ordered).hex()


def _sorted_once(items: Iterable[T], keys: Sequence[str], field: str) -> list[T]:
    if len(set(keys)) != len(keys):
        raise InputError.field(field, "each once", "one of them twice")
    return [item for _, item in sorted(zip(keys, items, strict=True), key=lambda pair: pair[0])]
