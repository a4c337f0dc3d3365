"""Licences that an organisation holds, as files in its home: verified once when they come in, loaded for every job."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final, Protocol

import msgspec

from licet import identifiers
from licet.decisions import Request
from licet.errors import InputError, VerificationError
from licet.home import write_private
from licet.misfits import unlike
from licet.statements import envelope as envelopes
from licet.statements.kinds import Licence, LicenceLine, Use
from licet.statements.licences import licence_lines_root
from licet.statements.receipt import verify_receipt
from licet.statements.trust import RegistryKeys
from licet.wire.licensing import LicenceGranted


class HeldLicence(msgspec.Struct, frozen=True):
    """A licence with its lines, by work id."""

    payload: Licence
    lines: dict[str, LicenceLine]

    @property
    def id(self) -> str:
        """``lic_…``."""
        return self.payload.licence


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
        return _load(path) if path.exists() else None

    def all(self) -> list[HeldLicence]:
        """Return every licence that is here, by id."""
        return [_load(path) for path in sorted(self.folder.glob("lic_*.json"))]

    def _path(self, licence: str) -> Path:
        identifiers.to_uuid(licence, "lic", field="licence")
        return self.folder / f"{licence}.json"


def licences_for(held: Iterable[HeldLicence], request: Request) -> dict[bytes, set[str]]:
    """Return the ids of the licences that cover ``request``, by work (16 bytes): what ``answer`` takes."""
    found: dict[bytes, set[str]] = {}
    for licence in held:
        if covers(licence.payload, request):
            for work in licence.lines:
                found.setdefault(identifiers.to_uuid(work, "wrk").bytes, set()).add(licence.id)
    return found


def covers(licence: Licence, request: Request) -> bool:
    """Return whether ``licence`` was granted for all that ``request`` declares, and has not ended.

    A request that names no model is covered by a licence for any: the model is named, and held against the licence,
    when a run is reported. A fact that the licence leaves open was no condition of the works in it.
    """
    use = licence.use
    if not (set(request.uses) <= set(use.atoms) and set(request.purpose) <= set(use.purpose)):
        return False
    if request.model is not None and not _same_model(use, request):
        return False
    if use.territory is not None and (request.territory is None or not set(request.territory) <= set(use.territory)):
        return False
    for name in ("open_weights", "sublicense", "exclusive"):
        granted = getattr(use, name)
        if granted is not None and getattr(request, name) is not granted:
            return False
    return licence.valid_until is None or (request.at is not None and request.at < licence.valid_until)


def _same_model(use: Use, request: Request) -> bool:
    model, _, version = (request.model or "").partition("@")
    if use.model_scope == "family":
        return model == use.model
    return request.model_scope == "one-version" and (model, version) == (use.model, use.version)


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
