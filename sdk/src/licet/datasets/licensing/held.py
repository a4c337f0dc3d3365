"""Licences that an organisation holds, as files in its home: verified once when they come in, loaded for every job."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, Protocol

import msgspec

from licet import identifiers
from licet.decisions import Request
from licet.errors import InputError, VerificationError
from licet.home import write_private
from licet.misfits import unlike
from licet.statements import envelope as envelopes
from licet.statements.covering import covers
from licet.statements.kinds import Licence, LicenceLine
from licet.statements.licences import licence_lines_root
from licet.statements.receipt import verify_receipt
from licet.statements.trust import RegistryKeys
from licet.wire.licensing import LicenceGranted

_FILES: Final = "lic_*.json"
_REVOKED: Final = "revoked.json"


class Revoked(msgspec.Struct, frozen=True):
    """A revocation of ``works`` under ``licence``: from ``over_at`` on no new run may use them."""

    duty: str
    licence: str
    effect: str
    over_at: str
    works: list[str]


class HeldLicence(msgspec.Struct, frozen=True):
    """A licence with its lines, by work id, and those of its works that were revoked."""

    payload: Licence
    lines: dict[str, LicenceLine]
    revoked: dict[str, Revoked] = {}

    @property
    def id(self) -> str:
        """``lic_…``."""
        return self.payload.licence

    def over(self, at: str | None) -> dict[str, Revoked]:
        """Return the works whose notice is over at ``at``; where nobody says when, all that were revoked."""
        return {work: each for work, each in self.revoked.items() if at is None or each.over_at <= at}


class Signed(Protocol):
    """The public half of a signing key."""

    @property
    def keyid(self) -> str: ...

    @property
    def public(self) -> bytes: ...


def verify_granted(granted: LicenceGranted, key: Signed, keys: RegistryKeys) -> HeldLicence:
    """Return the licence once both signatures, its lines and its place in the log hold.

    ``key`` is the organisation's, which must have signed first; the registry's licence key must have signed second.
    Raises ``VerificationError`` or ``MalformedError``.
    """
    index = verify_receipt(granted.receipt, granted.envelope, keys)
    unproven = envelopes.read_as(Licence, granted.envelope)
    registrar = keys.signer("licence", index, unproven.issued_at, granted.envelope)
    keys.keys.add(key.public)
    payload = envelopes.open_as(Licence, granted.envelope, [key.keyid, registrar], keys.keys)
    if payload.registry != keys.ref:
        raise VerificationError(f"expected a licence of {keys.ref.origin}, got one of {payload.registry.origin}")
    if payload.licence != granted.licence:
        raise VerificationError(f"expected the licence {granted.licence}, got {payload.licence}")
    if len(granted.lines) != payload.count or licence_lines_root(granted.lines) != payload.root:
        raise VerificationError(f"licence {payload.licence}: the works sent are not those that were signed")
    return _held(payload, granted.lines)


class LicenceStore:
    """The folder of the licences that one organisation holds."""

    def __init__(self, folder: Path) -> None:
        self.folder: Final = folder

    def keep(self, granted: LicenceGranted) -> None:
        """Keep a licence that was verified; it survives a crash from here on."""
        write_private(self._path(granted.licence), msgspec.json.encode(granted))

    def granted(self, licence: str) -> LicenceGranted | None:
        """Return one licence as it was granted, or None if it is not here; raises ``InputError`` for a damaged file."""
        path = self._path(licence)
        return _granted(path) if path.exists() else None

    def get(self, licence: str) -> HeldLicence | None:
        """Return one licence, or None if it is not here; raises ``InputError`` for a damaged file."""
        path = self._path(licence)
        return self._whole([_load(path)])[0] if path.exists() else None

    def all(self) -> list[HeldLicence]:
        """Return every licence that is here, by id."""
        return self._whole([_load(path) for path in sorted(self.folder.glob(_FILES))])

    def any(self) -> bool:
        """Return whether there is a licence here."""
        return next(self.folder.glob(_FILES), None) is not None

    def revoked(self) -> dict[str, Revoked]:
        """Return what is known to be revoked, by duty; raises ``InputError`` for a damaged file."""
        path = self.folder / _REVOKED
        try:
            found = msgspec.json.decode(path.read_bytes(), type=list[Revoked])
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, msgspec.MsgspecError) as error:
            raise InputError(f"{path}: expected revocations as licet keeps them, got {unlike(error)}") from None
        return {each.duty: each for each in found}

    def keep_revoked(self, revoked: Mapping[str, Revoked]) -> None:
        """Keep all that is known to be revoked."""
        write_private(self.folder / _REVOKED, msgspec.json.encode(list(revoked.values())))

    def _whole(self, licences: list[HeldLicence]) -> list[HeldLicence]:
        by_licence: dict[str, dict[str, Revoked]] = {}
        for each in self.revoked().values():
            by_licence.setdefault(each.licence, {}).update(dict.fromkeys(each.works, each))
        return [
            msgspec.structs.replace(each, revoked=by_licence[each.id]) if each.id in by_licence else each
            for each in licences
        ]

    def _path(self, licence: str) -> Path:
        identifiers.to_uuid(licence, "lic", field="licence")
        return self.folder / f"{licence}.json"


def licences_for(held: Iterable[HeldLicence], request: Request) -> dict[bytes, set[str]]:
    """Return the ids of the licences that cover ``request``, by work (16 bytes): what ``answer`` takes."""
    found: dict[bytes, set[str]] = {}
    for licence in held:
        if covers(licence.payload, request):
            over = licence.over(request.at)
            for work in licence.lines.keys() - over.keys():
                found.setdefault(identifiers.to_uuid(work, "wrk").bytes, set()).add(licence.id)
    return found


def _granted(path: Path) -> LicenceGranted:
    try:
        return msgspec.json.decode(path.read_bytes(), type=LicenceGranted)
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise InputError(f"{path}: expected a licence as licet keeps it, got {unlike(error)}") from None


def _load(path: Path) -> HeldLicence:
    granted = _granted(path)
    try:
        return _held(envelopes.read_as(Licence, granted.envelope), granted.lines)
    except (OSError, ValueError, msgspec.MsgspecError, InputError) as error:
        raise InputError(f"{path}: expected a licence as licet keeps it, got {unlike(error)}") from None


def _held(payload: Licence, lines: Iterable[LicenceLine]) -> HeldLicence:
    return HeldLicence(payload, {line.work: line for line in lines})
