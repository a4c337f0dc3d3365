"""What the index knows of one work: who speaks for it, under which terms, in which state, found by which keys."""

from __future__ import annotations

from typing import Final

import msgspec

from licet.errors import InputError
from licet.fingerprints.exact import KEY_BYTES

ID_BYTES: Final = 16
MAX_LEVEL: Final = 4
MAX_TERMS: Final = 1 << 20
MAX_LOG_INDEX: Final = 2**53 - 1  # what a canonical JSON integer may hold

#: State bits of a work, in the order of their value: 1, 2, 4, …
FLAGS: Final = ("contested", "challenged", "pending", "withdrawn", "fingerprint_only", "signed")


class FileKeys(msgspec.Struct, frozen=True):
    """The keys of a further file of a work, raw bytes."""

    sha256: bytes
    pixels: bytes | None = None
    pdq: bytes | None = None
    quality: int | None = None
    instance: bytes | None = None
    image: bytes | None = None
    text: bytes | None = None


class WorkRecord(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One work as the service states it. Identifiers are the 16 bytes of a UUID; digests are raw bytes.

    ``sha256`` is None for a work that is known by its addresses alone. ``instance``, ``image`` and ``text`` are the 32
    bytes of ISCC units: of the file, and of what it shows or says. ``sites`` are keys of `licet.fingerprints.sites`.

    ``terms`` are the effective terms, ``Terms.encoded``, or empty where nobody has stated any. ``signed`` says that
    every key of the work is under a signed work digest; a work known only through a catalogue statement is not, and
    may deny but never license or allow (semantics 5, 9). ``quality`` goes with ``pdq``.
    """

    work: bytes
    account: bytes
    terms: bytes
    level: int
    contested: bool = False
    challenged: bool = False
    pending: bool = False
    withdrawn: bool = False
    fingerprint_only: bool = False
    signed: bool = True
    statement: bytes = bytes(ID_BYTES)
    log_index: int = 0
    sha256: bytes | None
    pixels: bytes | None = None
    pdq: bytes | None = None
    quality: int | None = None
    instance: bytes | None = None
    image: bytes | None = None
    text: bytes | None = None
    urls: list[bytes] = []
    sites: list[bytes] = []
    files: list[FileKeys] = []

    @property
    def flags(self) -> int:
        """The state bits, as ``FLAGS`` orders them."""
        return (
            self.contested
            | self.challenged << 1
            | self.pending << 2
            | self.withdrawn << 3
            | self.fingerprint_only << 4
            | self.signed << 5
        )

    def check(self) -> None:
        """Return only if a segment can hold this record, else raise ``InputError`` naming the field."""
        # Millions of records are of this kind, and each costs a tenth of what naming every field does.
        if (
            len(self.work) == len(self.account) == len(self.statement) == ID_BYTES
            and (self.sha256 is None or len(self.sha256) == 32)
            and (self.pixels is None or len(self.pixels) == 32)
            and (self.pdq is None or (len(self.pdq) == 32 and 0 <= (self.quality or 0) <= 100))
            and (self.instance is None or len(self.instance) == 32)
            and (self.image is None or len(self.image) == 32)
            and self.text is None
            and not self.urls
            and not self.sites
            and not self.files
            and 0 <= self.level <= MAX_LEVEL
            and 0 <= self.log_index <= MAX_LOG_INDEX
            and len(self.terms) <= MAX_TERMS
        ):
            return
        self._check_each()

    def _check_each(self) -> None:
        sizes = (
            ("work", self.work, ID_BYTES),
            ("account", self.account, ID_BYTES),
            ("statement", self.statement, ID_BYTES),
            ("sha256", self.sha256, 32),
            ("pixels", self.pixels, 32),
            ("pdq", self.pdq, 32),
            ("instance", self.instance, 32),
            ("image", self.image, 32),
            ("text", self.text, 32),
            *(("urls", key, KEY_BYTES) for key in self.urls),
            *(("sites", key, KEY_BYTES) for key in self.sites),
            *(
                (f"files.{name}", getattr(file, name), 32)
                for file in self.files
                for name in ("sha256", "pixels", "pdq", "instance", "image", "text")
            ),
        )
        for field, value, size in sizes:
            if len(value if value is not None else bytes(size)) != size:
                raise InputError.field(field, f"{size} bytes", value)
        if not 0 <= self.level <= MAX_LEVEL:
            raise InputError.field("level", f"a claim level 0 to {MAX_LEVEL}", self.level)
        if not 0 <= self.log_index <= MAX_LOG_INDEX:
            raise InputError.field("log_index", f"0 to {MAX_LOG_INDEX}", self.log_index)
        if len(self.terms) > MAX_TERMS:
            raise InputError.field("terms", f"at most {MAX_TERMS} bytes", len(self.terms))
        for pdq, quality in ((self.pdq, self.quality), *((each.pdq, each.quality) for each in self.files)):
            if pdq is not None and not 0 <= (quality or 0) <= 100:
                raise InputError.field("quality", "0 to 100", quality)
