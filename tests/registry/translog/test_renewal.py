"""The registry's own keys change under its root: what was signed stands, what comes later counts by the new ones."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

from licet.errors import MalformedError, VerificationError
from licet.log import checkpoint as checkpoints
from licet.log import cosignature, note, policy
from licet.log import proof as proofs
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.key_list import KeyList
from licet.statements.keys import SigningKey
from licet.statements.trust import RegistryKeys as Known
from licet.statements.trust import Trust, verify_registry_keys
from registry.database import Database
from registry.errors import Conflict, Invalid, StartError
from registry.translog import RegistryKeys, open_keys, receipt, registry_keys_evidence, renewal
from registry.translog.keyfiles import SIGNING
from tests.registry.translog.log import ORIGIN, files, sequencing, submitted

pytestmark = pytest.mark.anyio


class Site:
    """A log with its keys; its root is at hand."""

    def __init__(self, database: Database, data: Path, keys: RegistryKeys) -> None:
        self.database, self.data, self.keys = database, data, keys
        self.root = SigningKey.load(data / "keys" / "root.pem")
        self.trust = Trust(ORIGIN, keys.root.public.hex())

    async def signed(self, request: renewal.Request) -> None:
        """Let the root sign, and the log take, what is asked for; another process than the sequencer's does it."""
        async with self.database.transaction() as conn:
            await renewal.install(conn, self.keys, renewal.signed_by(self.root, request))
        await self.goes_on()

    async def rotate(self, purpose: str) -> str:
        request, keyid = renewal.introduction(self.keys, purpose)  # type: ignore[arg-type]
        await self.signed(request)
        return keyid

    async def end(self, keyid: str, reason: renewal.Reason = "retired") -> None:
        async with self.database.acquire() as conn:
            request = await renewal.ending(conn, self.keys, keyid, reason)
        await self.signed(request)

    async def goes_on(self) -> None:
        sequencer = sequencing(self.keys, self.data)
        async with self.database.dedicated() as conn:
            await sequencer.resume(conn)
            while await sequencer.integrate(conn):
                await sequencer.publish(conn)

    async def known(self) -> Known:
        async with self.database.acquire() as conn:
            return verify_registry_keys(self.trust, await registry_keys_evidence(conn))

    async def checkpoint(self) -> bytes:
        text = await files(self.data).read("checkpoint")
        assert text is not None
        return text

    async def proof(self) -> str:
        """The proof of a fresh statement, as its submitter gets it."""
        (pending,) = await submitted(self.database, 1)
        await self.goes_on()
        async with self.database.acquire() as conn:
            found = await receipt(conn, pending)
        assert found is not None
        return proofs.parse(found.proof).checkpoint


@pytest.fixture
async def site(database: Database, tmp_path: Path) -> Site:
    async with database.acquire() as conn:
        site = Site(database, tmp_path, await open_keys(conn, tmp_path / "keys", ORIGIN))
    await site.goes_on()
    return site


async def test_a_log_key_is_followed_by_another_and_both_sign_until_the_first_is_retired(site):
    older = site.keys.log_signer.verifier
    before = await site.proof()
    newer = await site.rotate("log")
    assert site.keys.log.keyid == newer
    between = await site.proof()
    for reader in (older, site.keys.log_signer.verifier, (await site.known()).log):
        assert checkpoints.open(between, reader).size == 8
    await site.end(older_id := (await site.known()).lines[0].keyid)
    after = await site.proof()
    known = await site.known()
    for text in (before, between, after):
        checkpoints.open(text, known.log, closed=True)
    with pytest.raises(VerificationError, match="expected a signature by"):
        checkpoints.open(after, older)
    state = checkpoints.open(after, known.log)
    stolen = checkpoints.sign(state, site.keys.log_signers(1)[0])
    with pytest.raises(VerificationError, match=f"counts for, from 0 entries to 8, got one of {state.size}"):
        checkpoints.open(stolen, known.log)
    assert [each.state for each in await _listed(site) if each.keyid == older_id] == ["retired"]


async def test_a_running_service_signs_with_the_new_key_at_once_and_never_with_one_that_has_ended(site):
    async with site.database.acquire() as conn:
        running = await open_keys(conn, site.data / "keys", ORIGIN)
    first = running.office.keyid
    newer = await site.rotate("office")
    assert running.office.keyid == first
    async with site.database.transaction() as conn:
        assert (await running.hold(conn, "office")).keyid == newer
    newest = await site.rotate("office")
    await site.end(newer, "compromised")
    async with site.database.transaction() as conn:
        assert (await running.hold(conn, "office")).keyid == newest
    known = await site.known()
    at = known.lines[-1].index
    assert known.is_office(first, at, "2100-01-01T00:00:00.000Z")
    assert not known.is_office(newer, known.last + 1, "2100-01-01T00:00:00.000Z")
    assert known.is_office(newer, at, "2100-01-01T00:00:00.000Z")


async def test_the_log_cosigns_itself_and_a_policy_may_ask_for_it(site):
    assert cosignature.supported()
    known = await site.known()
    (key,) = [span.key for span in known.log.spans if span.beside]
    text = await site.checkpoint()
    rules = policy.parse(f"log {key.vkey}\nquorum none\n")
    assert rules.check(text, log=known.log).checkpoint.size == 5
    plain = checkpoints.sign(checkpoints.open(text, known.log), site.keys.log_signer)
    with pytest.raises(VerificationError, match="expected a signature by"):
        rules.check(plain, log=known.log)
    checkpoints.open(plain, known.log, closed=True)
    parsed = note.parse(text)
    lines = tuple(
        msgspec.structs.replace(line, value=line.value[:-1] + bytes([line.value[-1] ^ 1]))
        if line.key_id == key.key_id
        else line
        for line in parsed.signatures
    )
    spoiled = note.serialise(note.Note(parsed.text, lines))
    assert spoiled.encode() != text
    with pytest.raises(VerificationError, match="does not hold"):
        checkpoints.open(spoiled, known.log)
    await site.rotate("cosignature")
    await site.end(known.lines[4].keyid)
    newer = (await site.known()).log
    with pytest.raises(VerificationError):
        rules.check(await site.checkpoint(), log=newer)
    checkpoints.open(await site.checkpoint(), newer, closed=True)


async def test_what_the_root_did_not_sign_or_cannot_be_gone_on_with_is_refused(site):
    stranger = SigningKey.generate()
    request, _ = renewal.introduction(site.keys, "licence")
    with pytest.raises(Invalid, match="root: expected the key"):
        renewal.signed_by(stranger, request)
    forged = renewal.Signed(request.registry, [_signed(request, stranger)])
    async with site.database.transaction() as conn:
        with pytest.raises(Invalid, match="signed: "):
            await renewal.install(conn, site.keys, forged)
        with pytest.raises(Conflict, match="the only key for office"):
            await renewal.ending(conn, site.keys, site.keys.office.keyid, "compromised")
        with pytest.raises(Invalid, match="one key in force"):
            await renewal.ending(conn, site.keys, "", "retired")
    signed = renewal.signed_by(site.root, request)
    async with site.database.transaction() as conn:
        first = await renewal.install(conn, site.keys, signed)
    async with site.database.transaction() as conn:
        assert await renewal.install(conn, site.keys, signed) == first
        again, _ = renewal.introduction(site.keys, "office")
        for path in (site.data / "keys").glob("office-*.pem"):
            path.unlink()
        with pytest.raises(Conflict, match="private half"):
            await renewal.install(conn, site.keys, renewal.signed_by(site.root, again))


def _signed(request: renewal.Request, key: SigningKey) -> Envelope:
    return envelopes.countersign(request.unsigned[0], key)


async def _listed(site: Site) -> list[renewal.Named]:
    async with site.database.acquire() as conn:
        return await renewal.listed(conn, site.keys)


async def test_a_registry_of_before_is_told_how_its_log_gets_a_second_key(database, tmp_path):
    async with database.acquire() as conn:
        site = Site(database, tmp_path, await open_keys(conn, tmp_path / "keys", ORIGIN, SIGNING))
    await site.goes_on()
    assert site.keys.not_beside(4) == "the log has no ML-DSA-44 key; `licet-registry key rotate cosignature` names one"
    await site.rotate("cosignature")
    assert site.keys.not_beside(4) is not None
    assert site.keys.not_beside(5) is None
    assert len(note.parse(await site.checkpoint()).signatures) == 2
    for path in (tmp_path / "keys").glob("cosignature*.seed"):
        path.unlink()
    again = RegistryKeys.load(tmp_path / "keys", ORIGIN)
    async with database.acquire() as conn:
        await again.refresh(conn)
    assert "none of the log's ML-DSA-44 keys is here" in str(again.not_beside(5))


async def test_a_machine_without_ml_dsa_goes_on_with_ed25519_and_says_so(site, monkeypatch):
    key = next(span.key for span in (await site.known()).log.spans if span.beside)
    lacking_ml_dsa(monkeypatch)
    async with site.database.acquire() as conn:
        site.keys = await open_keys(conn, site.data / "keys", ORIGIN)
    await site.proof()
    assert site.keys.not_beside(6) == cosignature.LACKING
    text = await site.checkpoint()
    assert len(note.parse(text).signatures) == 1
    checkpoints.open(text, (await site.known()).log, closed=True)
    with pytest.raises(StartError, match="cryptography has no ML-DSA-44"):
        renewal.introduction(site.keys, "cosignature")
    with pytest.raises(MalformedError, match="cryptography has no ML-DSA-44"):
        policy.parse(f"log {key.vkey}\nquorum none\n")
    await site.rotate("office")
    names = [each.purpose for each in await _listed(site)]
    assert names == ["log", "snapshot", "licence", "office", "cosignature", "office"]


async def test_a_reader_without_ml_dsa_passes_the_line_over(site, monkeypatch):
    text = await site.checkpoint()
    assert len(note.parse(text).signatures) == 2
    lacking_ml_dsa(monkeypatch)
    known = await site.known()
    assert not any(span.beside for span in known.log.spans)
    assert checkpoints.open(text, known.log, closed=True).size == 5
    listed = KeyList.parse(await files(site.data).read("keys") or b"", site.trust)
    assert checkpoints.open(text, listed.log, closed=True).size == 5


def lacking_ml_dsa(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process have a `cryptography` without ML-DSA, as older ones are."""
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.mldsa", None)
    monkeypatch.delattr("cryptography.hazmat.primitives.asymmetric.mldsa", raising=False)
    monkeypatch.setattr(cosignature, "supported", lambda: False)
