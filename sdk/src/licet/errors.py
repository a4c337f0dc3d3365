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
    │   ├── QuotaError             3  the quota is used up (429); ``reset`` says for how long
    │   ├── UnreachableError       3  no answer at all
    │   └── VersionError           3  the service is of another version, and lacks what was asked for
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

    @property
    def request_id(self) -> str | None:
        """What names the request in the service's log, None for what no request led to."""
        return self.details.get("request_id")

    @property
    def status(self) -> int | None:
        """The HTTP status of the answer, None without one."""
        return self.details.get("status")

    @property
    def problem(self) -> str | None:
        """The slug of the problem type (RFC 9457), such as ``not-allowed``, None where the service named none."""
        return self.details.get("problem")

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The fields that the service named: ``pointer`` (RFC 6901), ``expected``, ``got``."""
        return list(self.details.get("errors") or [])

    def __str__(self) -> str:
        return f"{self.message} (request {self.request_id})" if self.request_id else self.message


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
    """The quote is larger than the budget, or than what the token may still spend; nothing was taken."""

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


class QuotaError(ServiceError):
    """The caller's quota is used up; nothing was done. ``details`` has ``limit`` and ``remaining`` where known."""

    code = "quota"

    @property
    def reset(self) -> float | None:
        """Seconds until there is quota again, None where the service did not say."""
        return self.details.get("reset")


class VersionError(ServiceError):
    """The service is of another version than this client, and lacks what was asked for."""

    code = "version"


class InterruptedJobError(LicetError):
    """Stopped by the user; nothing half-written passes for whole, and running it again resumes."""

    exit_code = 130
    code = "interrupted"
