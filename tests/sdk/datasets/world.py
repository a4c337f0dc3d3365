"""Pictures, artists and organisations for the tests of this room."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from licet.client import Client
from licet.fingerprints import iscc
from licet.fingerprints.decode import decode
from licet.fingerprints.picture import Fingerprint, examine_bytes
from licet.fingerprints.urls import url_key
from licet.home import AccountFile, Home, TrustFile
from licet.identifiers import new_id, new_uuid
from licet.index import WorkRecord
from licet.statements.keys import SigningKey
from licet.terms import Price, Terms, preset
from tests.sdk.datasets.registry import Registry

PAID = preset("paid", Price(model="per-training-run", amount="0.05", currency="USD"))
PAID_EUR = preset("paid", Price(model="per-work", amount="2", currency="EUR"))
NO_AI = preset("no-ai")
OPEN = Terms.parse(NO_AI.to_json() | {"train-gen": "allow"})


@lru_cache(maxsize=256)
def picture(number: int, size: int = 64) -> npt.NDArray[np.uint8]:
    """A picture with texture at every scale, unlike any of another number."""
    random = np.random.default_rng(number)
    total = np.zeros((size, size, 3))
    for cells, weight in ((4, 1.0), (9, 0.8), (20, 0.5)):
        coarse = Image.fromarray(random.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
        total += weight * np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC), dtype=float)
    return (total / 2.3).astype(np.uint8)


def encoded(pixels: npt.NDArray[np.uint8], form: str = "PNG", **options: Any) -> bytes:
    """The bytes of a picture file."""
    return _encoded(pixels.tobytes(), pixels.shape, form, tuple(sorted(options.items())))


@lru_cache(maxsize=512)
def _encoded(data: bytes, shape: tuple[int, ...], form: str, options: tuple[tuple[str, Any], ...]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.frombuffer(data, np.uint8).reshape(shape)).save(buffer, form, **dict(options))
    return buffer.getvalue()


@lru_cache(maxsize=256)
def _fingerprint(data: bytes) -> Fingerprint:
    return examine_bytes(data).fingerprint


@lru_cache(maxsize=256)
def _codes(data: bytes) -> dict[str, Any]:
    """The ISCCs of a picture, as the service keeps them of what is uploaded."""
    units = iscc.units(iscc.of_picture(data, decode(data).rgb))
    return {unit.kind: unit.digest for unit in units}


class World:
    """A registry with works of artists, and a place for homes."""

    def __init__(self, registry: Registry, folder: Path) -> None:
        self.registry = registry
        self.folder = folder
        self.artists: dict[str, bytes] = {}

    def work(
        self, data: bytes, artist: str = "mei", terms: Terms | None = PAID, *, urls: tuple[str, ...] = (), **fields: Any
    ) -> bytes:
        """Register a picture under terms and return the work's 16 bytes; `Registry.publish` shows it to clients."""
        done = _fingerprint(data)
        assert done.pixels
        assert done.pdq
        record = WorkRecord(
            work=new_uuid().bytes,
            account=self.artists.setdefault(artist, new_uuid().bytes),
            terms=terms.encoded if terms else b"",
            statement=new_uuid().bytes,
            sha256=bytes.fromhex(done.sha256),
            pixels=bytes.fromhex(done.pixels),
            pdq=bytes.fromhex(done.pdq),
            quality=done.quality,
            urls=[url_key(url) for url in urls],
            **{"level": 2, "log_index": 1, **_codes(data), **fields},
        )
        self.registry.records[record.work] = record
        return record.work

    def client(self, name: str = "lantern", kind: str | None = "organisation") -> Client:
        """A client with a home of its own: an account of ``kind``, or nobody (None)."""
        home = Home(self.folder / "homes" / name)
        profile = home.profile("default")
        trust = self.registry.trust
        if kind is None or profile.account is not None:
            account = profile.account
            return Client(self.registry.url, account.account if account else None, home=home, profile="default")
        key = SigningKey.generate()
        key.save(profile.key_path)
        organisation = new_id("org" if kind == "organisation" else "art")
        genesis = key.keyid
        profile.account = AccountFile(self.registry.url, organisation, kind, name, genesis, key.keyid)
        profile.trust = TrustFile(self.registry.url, trust.origin, trust.root, "2026-11-22T12:00:00.000Z")
        self.registry.members[organisation] = key
        self.registry.genesis[organisation] = genesis
        return Client(self.registry.url, organisation, home=home, profile="default")
