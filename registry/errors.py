"""Every error that the service raises on purpose, one tree.

::

    RegistryError                 status  type
    ├── Invalid                      400  invalid-request: a field, parameter, header or body is wrong
    ├── NotAuthenticated             401  not-authenticated: no token, or one that is unknown, expired, revoked
    ├── LicenceRequired (in `olp`)   402  licence-required: one is on offer, and none is held
    ├── NotAllowed                   403  not-allowed: known, but not for this
    ├── NotFound                     404  not-found: there is none, or none that the caller may see
    ├── Conflict                     409  conflict: the state changed, or the same identifier means something else
    ├── Gone                         410  gone: it was there and has been withdrawn or erased
    ├── PreconditionFailed           412  precondition-failed: it was changed since the caller looked
    ├── NotAcceptable                406  not-acceptable: the Accept header leaves out what there is
    ├── SlowBody                     408  request-timeout: the body does not come
    ├── TooLarge                     413  too-large
    ├── UriTooLong                   414  uri-too-long
    ├── UnsupportedMediaType         415  unsupported-media-type
    ├── KeyReused                    422  idempotency-key-reused: same key, other payload
    ├── QuotaExceeded                429  quota-exceeded
    ├── HeadersTooLarge              431  headers-too-large
    ├── Unavailable                  503  unavailable: a part is down or behind; trying again may help
    │   ├── DatabaseUnavailable      503  unavailable: the primary does not answer
    │   ├── StoreUnavailable         503  unavailable: published or archived files cannot be reached or written
    │   └── TimedOut                 503  timed-out: the answer took too long; what was under way was stopped
    └── StartError                     –  the service cannot start; the message says what to do
        ├── SettingsError              –  an environment variable is wrong
        ├── DataFolderError            –  the data folder cannot be used as it is
        │   └── HeldError              –  another process holds it
        ├── ArchiveError               –  the archive is missing, short, damaged or another registry's
        └── MigrationError             –  the schema and the migrations do not fit together

Errors of the SDK (``licet.errors``) that reach a handler become problems too: see ``registry.http.problems``.
"""

from __future__ import annotations

import re
from typing import ClassVar

from licet.wire.common import FieldError


def pointer(field: str) -> str:
    """Return the JSON pointer (RFC 6901) of a dotted field; ``?name`` and ``header:Name`` stay as they are."""
    if field.startswith(("/", "?", "header:", "path:")) or not field:
        return field
    parts = re.split(r"[.\[]", field.replace("]", ""))
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts if part)


class RegistryError(Exception):
    """Root of the tree. ``detail`` is for people; ``slug`` ends the problem type; ``errors`` names fields.

    ``told`` is what callers hear where ``detail`` may name hosts or files: then that is for the log alone.
    """

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"
    told: ClassVar[str | None] = None
    oauth: ClassVar[str | None] = None  # what RFC 6749 calls it, where OAuth's clients ask

    def __init__(
        self, detail: str, *, errors: list[FieldError] | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors or []
        self.headers = headers or {}


class Invalid(RegistryError):
    """What the caller sent is wrong; ``errors`` says which field, what was expected and what came."""

    status = 400
    slug = "invalid-request"
    title = "Invalid request"

    @classmethod
    def field(cls, field: str, expected: str, got: object) -> Invalid:
        """Return an error about one field that reads ``field: expected …, got …``.

        ``field`` is dotted (``terms.train-gen.price``) for a part of the body; a query parameter starts with
        ``?`` and a header with ``header:``.
        """
        shown = repr(got)
        if len(shown) > 120:
            shown = shown[:117] + "..."
        error = FieldError(pointer=pointer(field), expected=expected, got=shown)
        return cls(f"{field}: expected {expected}, got {shown}", errors=[error])


class NotAuthenticated(RegistryError):
    """The request carries no token, or one that is unknown, expired or revoked."""

    status = 401
    slug = "not-authenticated"
    title = "Not authenticated"

    def __init__(self, detail: str = "expected a valid token in the Authorization header") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": 'Bearer realm="licet"'})


class NotAllowed(RegistryError):
    """The caller is known and may not do this."""

    status = 403
    slug = "not-allowed"
    title = "Not allowed"


class NotFound(RegistryError):
    """There is none, or none that this caller may see; the two look the same on purpose."""

    status = 404
    slug = "not-found"
    title = "Not found"


class Conflict(RegistryError):
    """The state has changed since the caller looked, or the same identifier stands for something else."""

    status = 409
    slug = "conflict"
    title = "Conflict"


class Gone(RegistryError):
    """It was there, and has been withdrawn or erased."""

    status = 410
    slug = "gone"
    title = "Gone"


class PreconditionFailed(RegistryError):
    """It was changed since the caller looked: what ``If-Match`` names is not what is there."""

    status = 412
    slug = "precondition-failed"
    title = "Changed meanwhile"


class TooLarge(RegistryError):
    """The body, picture or batch is over its limit; the message names the limit."""

    status = 413
    slug = "too-large"
    title = "Too large"


class KeyReused(RegistryError):
    """The same Idempotency-Key came with another payload."""

    status = 422
    slug = "idempotency-key-reused"
    title = "Idempotency key reused"


class QuotaExceeded(RegistryError):
    """The caller's quota is used up; ``retry_after`` is in seconds."""

    status = 429
    slug = "quota-exceeded"
    title = "Quota exceeded"

    def __init__(self, detail: str, *, retry_after: int, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail, headers={**(headers or {}), "Retry-After": str(retry_after)})


class Unavailable(RegistryError):
    """A part that the answer needs is down or behind; ``retry_after`` is in seconds."""

    status = 503
    slug = "unavailable"
    title = "Unavailable"

    def __init__(self, detail: str, *, retry_after: int = 1) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class DatabaseUnavailable(Unavailable):
    """The primary does not answer, or not in time. Whether a commit under way took effect is not known."""

    told = "the database does not answer, or not in time; asking again is safe"


class StoreUnavailable(Unavailable):
    """The place of published or archived files cannot be reached, is full or refuses; nothing half-written is seen."""

    told = "the place of published files does not answer, or not in time; asking again is safe"


class TimedOut(Unavailable):
    """The answer took longer than this operation may; its statement in the database was stopped."""

    slug = "timed-out"
    title = "Timed out"


class NotAcceptable(RegistryError):
    """The ``Accept`` header leaves out the only form that there is."""

    status = 406
    slug = "not-acceptable"
    title = "Not acceptable"


class SlowBody(RegistryError):
    """The body of the request does not come, or comes too slowly."""

    status = 408
    slug = "request-timeout"
    title = "Request timeout"


class UriTooLong(RegistryError):
    """Path and query are longer than any that we give out."""

    status = 414
    slug = "uri-too-long"
    title = "URI too long"


class UnsupportedMediaType(RegistryError):
    """The body is of another media type, or encoded."""

    status = 415
    slug = "unsupported-media-type"
    title = "Unsupported media type"


class HeadersTooLarge(RegistryError):
    """The headers are larger than any that we ask for."""

    status = 431
    slug = "headers-too-large"
    title = "Headers too large"


class StartError(RegistryError):
    """The service cannot start; the message says what is wrong and what to do."""


class SettingsError(StartError):
    """An environment variable is unknown or has a wrong value; the message names it."""


class DataFolderError(StartError):
    """The data folder cannot be used: closed, of another major version, or damaged."""


class HeldError(DataFolderError):
    """Another process holds the data folder; the message names it."""


class ArchiveError(StartError):
    """The archive does not say what is needed of it; the message names the file and what to do."""


class MigrationError(StartError):
    """The schema in the database and the migration files do not fit together; the message names the file."""
