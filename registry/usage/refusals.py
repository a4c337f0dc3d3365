"""What a usage batch or run is refused for."""

from __future__ import annotations

from licet.wire.common import FieldError
from registry.errors import Conflict, RegistryError, pointer


class InvalidEvents(RegistryError):
    """The batch parses and is signed, but says something impossible; ``errors`` names the event and field."""

    status = 422
    slug = "invalid-events"
    title = "Invalid events"

    @classmethod
    def field(cls, field: str, expected: str, got: object) -> InvalidEvents:
        """Return an error about one field, such as ``events[7].quantity``."""
        shown = repr(got) if len(repr(got)) <= 120 else repr(got)[:117] + "..."
        error = FieldError(pointer=pointer(field), expected=expected, got=shown)
        return cls(f"{field}: expected {expected}, got {shown}", errors=[error])


class SnapshotExpired(Conflict):
    """The run was re-checked against a snapshot that was past its time; pull a newer one and re-check."""

    slug = "expired"
    title = "Expired"
