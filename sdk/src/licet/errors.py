"""Every error that this package raises on purpose, one tree.

::

    LicetError                  exit  what happened
    ├── InputError                 2  an argument, file or document is not what it must be
    │   ├── MalformedError         2  bytes that do not parse as the format they claim to be
    │   └── PictureError           2  a file that is not a picture we may decode
    ├── VerificationError          1  a signature, digest or proof does not hold; never retried
    │   ├── ExpiredError           1  genuine, but past its time (snapshot, quote, licence)
    │   └── RollbackError          1  genuine, but older than what was already seen
    ├── BudgetError                1  the quote is larger than the budget; nothing was taken
    ├── NotAllowedError            4  the service knows the caller and refuses (401, 403)
    ├── ConflictError              2  the same key was used for something else (409, 422)
    ├── ServiceError               3  the service or the network failed; a retry may help
    │   └── UnreachableError       3  no answer at all
    └── InterruptedJobError      130  stopped by the user; running it again resumes
"""

from __future__ import annotations

from typing import Any, ClassVar


class LicetError(Exception):
    """Root of the tree: carries the exit code of the command line and machine-readable details."""

    exit_code: ClassVar[int] = 1
    code: ClassVar[str] = "error"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details

    def __str__(self) -> str:
        request_id = self.details.get("request_id")
        return f"{self.message} (request {request_id})" if request_id else self.message


class InputError(LicetError):
    """What the caller gave is wrong; ``details`` names ``field``, ``expected`` and ``got`` where known."""

    exit_code = 2
    code = "input"

    @classmethod
    def field(cls, field: str, expected: str, got: object) -> InputError:
        """Return an error that reads ``field: expected …, got …``."""
        shown = repr(got)
        if len(shown) > 120:
            shown = shown[:117] + "..."
        return cls(f"{field}: expected {expected}, got {shown}", field=field, expected=expected, got=shown)


class MalformedError(InputError):
    """Bytes that do not parse as the format they claim to be."""

    code = "malformed"


class PictureError(InputError):
    """A file that is not a picture, is truncated, or is over the limits; ``details["why"]`` is a slug."""

    code = "picture"


class VerificationError(LicetError):
    """A signature, digest or proof does not hold. Trying again cannot help."""

    exit_code = 1
    code = "verification"


class ExpiredError(VerificationError):
    """Genuine, but past its time."""

    code = "expired"


class RollbackError(VerificationError):
    """Genuine, but older than what this reader has already seen."""

    code = "rollback"


class BudgetError(LicetError):
    """The quote is larger than the budget; nothing was taken."""

    exit_code = 1
    code = "over-budget"


class NotAllowedError(LicetError):
    """The service refuses this caller (no, foreign, expired or too narrow a token)."""

    exit_code = 4
    code = "not-allowed"


class ConflictError(LicetError):
    """The same identifier or idempotency key was already used for something else."""

    exit_code = 2
    code = "conflict"


class ServiceError(LicetError):
    """The service answered with a fault of its own, or with something that is not its protocol."""

    exit_code = 3
    code = "service"


class UnreachableError(ServiceError):
    """No answer from the service at all."""

    code = "unreachable"


class InterruptedJobError(LicetError):
    """Stopped by the user; nothing half-written passes for whole, and running it again resumes."""

    exit_code = 130
    code = "interrupted"
