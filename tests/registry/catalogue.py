"""Artists for tests: real pictures, uploads, registrations and signed statements against a whole running service."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import numpy as np
from PIL import Image, ImageDraw

from licet import identifiers, times
from licet.canonical import from_base64
from licet.catalogue.forms import digest_form
from licet.fingerprints.picture import Fingerprint
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.keys import SigningKey
from licet.statements.kinds import Consent, FileDigest, WorksScope, WorkUpdate
from licet.statements.works import grown, work_digest, works_root
from licet.terms import Price, Terms, preset
from licet.wire.works import (
    StatementAccepted,
    StatementDraft,
    StatementDrafted,
    StatementSubmit,
    Work,
    WorkIn,
    WorkKeys,
    WorkOutcome,
    WorksRegister,
    WorksRegistered,
)
from registry import consent, snapshots
from registry.accounts.levels import raise_level
from registry.services import Services
from registry.snapshots import Reader
from tests.registry.harness import Account, Running, running

NO_AI = preset("no-ai")
RESEARCH = preset("research")
PAID = preset("paid", Price(model="per-work", amount="0.05", currency="USD"))
PAID_MORE = preset("paid", Price(model="per-work", amount="0.09", currency="USD"))
PAID_LESS = preset("paid", Price(model="per-work", amount="0.02", currency="USD"))


@dataclass
class Artist:
    """An account that registers and signs."""

    site: Running
    account: Account

    @property
    def id(self) -> str:
        return self.account.id

    @property
    def uuid(self) -> UUID:
        return identifiers.to_uuid(self.account.id)

    @property
    def http(self) -> httpx.AsyncClient:
        return self.account.http

    async def upload(self, data: bytes) -> Fingerprint:
        """Send a picture and return what the service saw."""
        answer = await self.http.put(f"/v1/uploads/{sha256(data).hexdigest()}", content=data)
        assert answer.status_code == 200, answer.text
        return msgspec.json.decode(answer.content, type=Fingerprint)

    async def register(self, *items: WorkIn) -> list[WorkOutcome]:
        """Register works and return what became of each."""
        answer = await self.site.post("/v1/works", WorksRegister(list(items)), http=self.http)
        assert answer.status_code == 201, answer.text
        return msgspec.json.decode(answer.content, type=WorksRegistered).items

    async def picture(self, data: bytes, **fields: Any) -> WorkOutcome:
        """Upload and register one picture."""
        await self.upload(data)
        return (await self.register(uploaded(data, **fields)))[0]

    async def draft(self, works: Sequence[str] | None, terms: Terms, lang: str = "en") -> StatementDrafted:
        """Ask for the bytes to sign."""
        body = StatementDraft(None if works is None else list(works), terms.to_json(), lang)  # type: ignore[arg-type]
        answer = await self.http.post("/v1/statements/draft", content=msgspec.json.encode(body))
        assert answer.status_code == 200, answer.text
        return msgspec.json.decode(answer.content, type=StatementDrafted)

    async def submit(self, envelope: Envelope, works: Sequence[str]) -> httpx.Response:
        """Send a signed statement."""
        return await self.site.post("/v1/statements", StatementSubmit(envelope, list(works)), http=self.http)

    async def state(self, works: Sequence[str] | None, terms: Terms) -> StatementAccepted:
        """Draft, sign and submit ``terms`` for ``works`` (None: the catalogue)."""
        drafted = await self.draft(works, terms)
        answer = await self.submit(signed(drafted, self.account.key), works or ())
        return accepted(answer)

    async def withdraw(self, works: Sequence[str]) -> StatementAccepted:
        """Sign and submit the withdrawal of ``works``."""
        return accepted(await self.submit(await self.withdrawal(works), works))

    async def withdrawal(self, works: Sequence[str], **changes: Any) -> Envelope:
        """Return the signed withdrawal of ``works``."""
        digests = [(await self.work(work)).digest for work in sorted(works)]
        fields: dict[str, Any] = {
            "registry": self.site.services.keys.ref,
            "account": self.id,
            "genesis": self.account.genesis,
            "scope": WorksScope(len(works), works_root(bytes.fromhex(digest) for digest in digests)),
            "change": "withdraw",
            "issued_at": times.to_text(times.now()),
            "nonce": identifiers.new_uuid().hex,
            **changes,
        }
        return envelopes.seal(WorkUpdate(**fields), self.account.key)

    async def updating(self, *adds: WorkKeys, **changes: Any) -> Envelope:
        """Return a signed update with ``adds``, whose fingerprints are those that the service counts."""
        forms = {each.work: digest_form(await self.work(each.work), self.id) for each in adds}
        before = [forms[work] for work in sorted(forms)]
        for each in adds:
            file = (
                None
                if each.sha256 is None
                else FileDigest(each.sha256, each.pixels, each.pdq, each.iscc or msgspec.UNSET)
            )
            forms[each.work] = grown(forms[each.work], file, each.urls)
        fields: dict[str, Any] = {
            "registry": self.site.services.keys.ref,
            "account": self.id,
            "genesis": self.account.genesis,
            "scope": WorksScope(len(adds), works_root(work_digest(forms[work]) for work in sorted(forms))),
            "change": "keys",
            "before": works_root(work_digest(form) for form in before),
            "issued_at": times.to_text(times.now()),
            "nonce": identifiers.new_uuid().hex,
            **changes,
        }
        return envelopes.seal(WorkUpdate(**fields), self.account.key)

    async def add(self, *adds: WorkKeys) -> StatementAccepted:
        """Sign and submit an update with ``adds``."""
        return accepted(await self.send(await self.updating(*adds), adds))

    async def send(self, envelope: Envelope, adds: Sequence[WorkKeys]) -> httpx.Response:
        """Send a signed update."""
        body = StatementSubmit(envelope, sorted(each.work for each in adds), list(adds))
        return await self.site.post("/v1/statements", body, http=self.http)

    async def changed(self, work: str, data: bytes, urls: Sequence[str] = ()) -> WorkKeys:
        """Upload what ``work`` is now and return what is to be added."""
        seen = await self.upload(data)
        return WorkKeys(work, seen.sha256, seen.pixels, seen.pdq, seen.quality, list(urls))

    async def work(self, work: str) -> Work:
        """Return one of the artist's works."""
        answer = await self.http.get(f"/v1/works/{work}")
        assert answer.status_code == 200, answer.text
        return msgspec.json.decode(answer.content, type=Work)

    async def raise_level(self, level: int) -> None:
        """Give the account a claim level."""
        await raise_level(self.site.services, self.uuid, level, f"evidence for {level}")


def uploaded(data: bytes, **fields: Any) -> WorkIn:
    """Return the registration of an uploaded picture."""
    return WorkIn(work=identifiers.new_id("wrk"), mode="upload", sha256=sha256(data).hexdigest(), **fields)


def fingerprinted(number: int, **fields: Any) -> WorkIn:
    """Return the registration of a work of which only a made-up digest is known."""
    digest = sha256(b"%d %d" % (_test, number)).hexdigest()
    return WorkIn(work=identifiers.new_id("wrk"), mode="fingerprint-only", sha256=digest, **fields)


def signed(drafted: StatementDrafted, key: SigningKey, **changes: Any) -> Envelope:
    """Return ``drafted`` signed, with some fields changed before."""
    payload = msgspec.json.decode(from_base64(drafted.payload), type=Consent)
    return envelopes.seal(msgspec.structs.replace(payload, **changes), key)


def accepted(answer: httpx.Response) -> StatementAccepted:
    """Return the acceptance that ``answer`` must be."""
    assert answer.status_code == 201, answer.text
    return msgspec.json.decode(answer.content, type=StatementAccepted)


def picture(seed: int, side: int = 160, form: str = "PNG") -> bytes:
    """Return a picture file of smooth noise and shapes, unlike that of any other seed."""
    return encoded(drawn(seed, side), form)


_test = 0


def new_pictures(test: str) -> None:
    """Make every seed stand for a picture of ``test`` from now on: tests that share a service do not share pictures.

    The same test always draws the same ones, whichever ran before it.
    """
    global _test
    _test = int.from_bytes(sha256(test.encode()).digest()[:4], "big")


def drawn(seed: int, side: int = 160) -> Image.Image:
    """Return smooth noise and shapes, unlike those of any other seed."""
    random = np.random.default_rng([_test, seed])
    noise = Image.fromarray(random.integers(0, 256, (9, 9, 3), dtype=np.uint8)).resize(
        (side, side), Image.Resampling.BICUBIC
    )
    draw = ImageDraw.Draw(noise)
    for _ in range(6):
        x, y, size = random.integers(0, side, 3)
        colour = tuple(int(each) for each in random.integers(0, 256, 3))
        draw.ellipse((x, y, x + size // 2 + 8, y + size // 3 + 8), fill=colour)
    return noise


def encoded(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    """Return ``image`` as a file."""
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


@asynccontextmanager
async def registry(dsn: str, data: Path, **settings: Any) -> AsyncIterator[Running]:
    """Yield a running service whose domains know each other."""
    async with running(dsn, data, **settings) as site:
        consent.connect(site.services)
        snapshots.connect(site.services)
        yield site


async def artist(site: Running, name: str = "Ada", kind: str = "artist") -> Artist:
    """Open an account."""
    return Artist(site, await site.account(kind, name))


def reader_of(services: Services) -> Reader:
    """Return the service's reader."""
    assert isinstance(services.reader, Reader)
    return services.reader
