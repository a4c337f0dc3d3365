"""Registration signs what this machine found itself: once for all works, whatever the service answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image

from licet.catalogue import register as room
from licet.catalogue.items import Item
from licet.catalogue.outcomes import Registered
from licet.catalogue.register import register, register_items
from licet.client import Client
from licet.errors import NotAllowedError, VerificationError
from licet.fingerprints.decode import decode
from licet.fingerprints.iscc import image_code, instance_code
from licet.fingerprints.picture import Fingerprint, fingerprint_bytes
from licet.home import AccountFile, Home
from licet.identifiers import new_id
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.keys import KeySet, SigningKey
from licet.statements.kinds import Consent, RegistryRef, WorkDigest, WorksScope
from licet.statements.works import work_digest, works_root
from licet.terms import preset
from licet.wire.accounts import ConsentHead, Me
from licet.wire.common import Receipt
from licet.wire.works import StatementAccepted, Work, WorkIn, WorkKeys, WorkOutcome, WorksRegistered

TERMS = preset("no-ai")
URL = "http://127.0.0.1:9"  # nothing is sent there
REF = RegistryRef("registry.example/log", "00" * 32)


class Service(Client):
    """A service of which each answer can be made false; what it is asked is kept."""

    def __init__(self, home: Home) -> None:
        super().__init__(URL, home=home)
        self.batches: list[list[WorkIn]] = []
        self.signed: list[tuple[Envelope, list[str]]] = []
        self.finds: Callable[[Fingerprint], Fingerprint] = lambda found: found
        self.known: list[Work] = []
        self.asked: list[list[str]] = []
        self.answers: Callable[[WorkIn, WorkOutcome], WorkOutcome] = lambda _, outcome: outcome

    def upload(self, sha256: str, data: bytes | Path, *, media_type: str = "application/octet-stream") -> Fingerprint:
        return self.finds(fingerprint_bytes(data if isinstance(data, bytes) else data.read_bytes()))

    def find_works(
        self,
        files: Sequence[str] = (),
        external_ids: Sequence[str] = (),
        works: Sequence[str] = (),
        addresses: Sequence[str] = (),
    ) -> list[Work]:
        self.asked.append(list(files))
        return [
            work
            for work in self.known
            if work.sha256 in files or work.external_id in external_ids or work.work in works or not work.sha256
        ]

    def register_works(self, batch: Sequence[WorkIn]) -> WorksRegistered:
        self.batches.append(list(batch))
        outcomes = [WorkOutcome(item.work, "registered", self.digest(item)) for item in batch]
        return WorksRegistered([self.answers(item, each) for item, each in zip(batch, outcomes, strict=True)])

    def digest(self, item: WorkIn, work: str | None = None) -> str:
        return work_digest(self.work_of(item, work)).hex()

    def work_of(self, item: WorkIn, work: str | None = None) -> WorkDigest:
        account = self.need_account().account
        assert account is not None
        return WorkDigest(
            work=work or item.work, account=account.account, sha256=item.sha256, pixels=item.pixels, pdq=item.pdq,
            iscc=item.iscc, url=sorted(item.urls), mode=item.mode,
        )  # fmt: skip

    def me(self) -> Me:
        account = self.need_account().account
        assert account is not None
        return Me(account.account, "artist", account.name, account.genesis, 0, ["register"], [], ConsentHead(0, None))

    def registry_ref(self) -> RegistryRef:
        return REF

    def submit_statement(
        self,
        envelope: Envelope,
        covered: Sequence[str],
        *,
        digests: Sequence[bytes] = (),
        adds: Sequence[WorkKeys] = (),
    ) -> StatementAccepted:
        self.signed.append((envelope, list(covered)))
        statement = new_id("stm")
        receipt = Receipt(statement, "consent", 7, "", None, "")
        return StatementAccepted(statement, "initial", 7, None, len(covered), receipt)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    home = Home(tmp_path / "home")
    profile = home.profile()
    key = SigningKey.generate()
    key.save(profile.key_path)
    profile.account = AccountFile(URL, new_id("art"), "artist", "Mei Lin", "11" * 32, key.keyid)
    client = Service(home)
    yield client
    client.close()


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    found = []
    for seed in range(5):
        coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
        found.append(tmp_path / f"{seed}.png")
        Image.fromarray(coarse).resize((80, 80), Image.Resampling.BICUBIC).save(found[-1])
    return found


def known_work(service: Service, sha256: str | None) -> Work:
    """Return a work as the registry tells of one that is not signed for."""
    return Work(
        work=new_id("wrk"), title=None, creator=None, mode="upload", sha256=sha256, pixels=None, pdq=None, quality=None,
        urls=[], tags=[], external_id=None, digest="00" * 32, created=None, registered_at="2026-01-01T00:00:00Z",
        statement=None, terms_hash=None, log_index=None, contested=False, challenged=False, withdrawn=False,
    )  # fmt: skip


def consent(service: Service, done: Registered) -> Consent:
    """Return the one consent that was signed, by the profile's own key, over the works of ``done``."""
    ((envelope, covered),) = service.signed
    key = SigningKey.load(service.profile.key_path)
    keys = KeySet()
    keys.add(key.public)
    payload = envelopes.open_as(Consent, envelope, [key.keyid], keys)
    assert covered == sorted(entry.work for entry in done.works)
    items = {item.sha256: item for batch in service.batches for item in batch}
    digests = [
        work_digest(service.work_of(items[entry.sha256], entry.work))
        for entry in sorted(done.works, key=lambda entry: entry.work)
    ]
    assert payload.scope == WorksScope(len(done.works), works_root(digests))
    assert payload.terms_hash == TERMS.hash
    return payload


def test_one_signature_covers_all_however_many_batches(
    service: Service, pictures: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "BATCH", 2)
    seen: list[int] = []
    done = register(service, pictures, TERMS, advance=seen.append)
    assert [len(batch) for batch in service.batches] == [2, 2, 1]
    assert [Path(entry.path) for entry in done.works] == pictures
    assert sum(seen) == len(pictures)
    payload = consent(service, done)
    assert (payload.effect, payload.seq, payload.registry) == ("initial", 1, REF)
    ((statement),) = done.statements
    assert (statement.log_index, statement.effect, statement.works) == (7, "initial", len(pictures))


def test_the_same_bytes_are_one_work(service: Service, pictures: list[Path], tmp_path: Path) -> None:
    twin = tmp_path / "twin.png"
    twin.write_bytes(pictures[0].read_bytes())
    done = register(service, [*pictures[:2], twin], TERMS)
    assert len(done.works) == 2
    assert [(entry.path, entry.work) for entry in done.duplicates] == [(str(twin), done.works[0].work)]
    consent(service, done)


def test_a_twin_of_a_work_that_was_registered_before_has_its_name(
    service: Service, pictures: list[Path], tmp_path: Path
) -> None:
    twin = tmp_path / "twin.png"
    twin.write_bytes(pictures[0].read_bytes())
    known = new_id("wrk")
    service.answers = lambda item, _: WorkOutcome(item.work, "duplicate", service.digest(item), known, signed=True)
    done = register(service, [pictures[0], twin], TERMS)
    assert {entry.work for entry in done.duplicates} == {known}


def test_what_an_interrupted_run_left_unsigned_joins_the_next_signature(service: Service, pictures: list[Path]) -> None:
    known = {fingerprint_bytes(path.read_bytes()).sha256: new_id("wrk") for path in pictures[:2]}
    unsigned = next(iter(known))

    def answers(item: WorkIn, outcome: WorkOutcome) -> WorkOutcome:
        if item.sha256 not in known:
            return outcome
        existing = known[item.sha256]
        return WorkOutcome(
            item.work, "duplicate", service.digest(item, existing), existing, signed=item.sha256 != unsigned
        )

    service.answers = answers
    done = register(service, pictures[:3], TERMS)
    assert done.works[0].work == known[unsigned]
    assert len(done.works) == 2
    assert [entry.work for entry in done.duplicates] == [work for sha256, work in known.items() if sha256 != unsigned]
    consent(service, done)


@pytest.mark.parametrize("named", ["by its external id", "by its name", "by external id and digest", "by both and url"])
def test_an_unsigned_work_that_nothing_here_can_be_compared_with_is_not_signed(service: Service, named: str) -> None:
    urls = ["https://mei.example/a.png"] if named == "by both and url" else []
    foreign = msgspec.structs.replace(
        known_work(service, "66" * 32), pixels="77" * 32, pdq="88" * 32, external_id="m-1", urls=urls
    )
    service.known = [foreign]
    item = Item(
        shown="row 2", row=2, urls=urls, fingerprint_only=True,
        external_id=None if named == "by its name" else "m-1",
        work=foreign.work if named in ("by its name", "by both and url") else None,
        sha256=foreign.sha256 if named == "by external id and digest" else None,
    )  # fmt: skip
    done = register_items(service, [item], TERMS)
    assert (done.works, done.statements, service.signed) == ([], [], [])
    ((refusal),) = done.refused
    assert refusal.field == "path"
    assert f"expected the picture of {foreign.work}, which is registered and not signed for yet" in refusal.reason


def test_an_unsigned_work_of_an_external_id_is_signed_where_it_is_known_by_the_same_address_alone(
    service: Service,
) -> None:
    url = "https://mei.example/a.png"
    alone = msgspec.structs.replace(known_work(service, None), mode="fingerprint-only", external_id="m-1", urls=[url])
    item = Item(shown=url, row=2, urls=[url], external_id="m-1", fingerprint_only=True)
    service.known = [msgspec.structs.replace(alone, sha256="66" * 32)]
    assert register_items(service, [item], TERMS).statements == []
    service.known = [alone]
    assert [entry.work for entry in register_items(service, [item], TERMS).works] == [alone.work]


def test_where_all_is_signed_already_nothing_is_signed(service: Service, pictures: list[Path]) -> None:
    service.answers = lambda item, _: WorkOutcome(item.work, "duplicate", service.digest(item), item.work, signed=True)
    done = register(service, pictures[:2], TERMS)
    assert (done.works, done.statements, len(done.duplicates)) == ([], [], 2)
    assert service.signed == []


@pytest.mark.parametrize(
    "lie",
    [
        lambda found: msgspec.structs.replace(found, sha256="ab" * 32),
        lambda found: msgspec.structs.replace(found, pdq="f" * 32 + found.pdq[32:]),
        lambda found: msgspec.structs.replace(found, pdq=None),
    ],
    ids=["another file", "another look", "no look"],
)
def test_a_fingerprint_that_is_not_ours_is_not_signed(service: Service, pictures: list[Path], lie: Any) -> None:
    service.finds = lie
    with pytest.raises(VerificationError, match=r"0\.png: expected the service to find our own fingerprint"):
        register(service, pictures[:1], TERMS)
    assert (service.batches, service.signed) == ([], [])


def test_a_fingerprint_of_another_build_is_taken(service: Service, pictures: list[Path]) -> None:
    service.finds = lambda found: msgspec.structs.replace(found, pdq=f"{int(found.pdq or '0', 16) ^ 0b1011:064x}")
    done = register(service, pictures[:1], TERMS)
    assert service.batches[0][0].pdq != fingerprint_bytes(pictures[0].read_bytes()).pdq
    consent(service, done)


def test_a_digest_that_is_not_of_our_work_is_not_signed(service: Service, pictures: list[Path]) -> None:
    service.answers = lambda item, outcome: msgspec.structs.replace(outcome, digest="00" * 32)
    with pytest.raises(VerificationError, match="expected the service to hold what we are about to sign"):
        register(service, pictures[:1], TERMS)
    assert service.signed == []


def test_a_duplicate_that_is_another_work_is_not_signed(service: Service, pictures: list[Path]) -> None:
    """The service cannot slip another work under our signature by calling it ours."""
    foreign = new_id("wrk")
    service.answers = lambda item, outcome: WorkOutcome(item.work, "duplicate", outcome.digest, foreign, signed=False)
    done = register(service, pictures[:1], TERMS)
    assert "registered as another file and not signed for yet" in done.refused[0].reason
    assert (done.works, service.signed) == ([], [])


def test_what_is_refused_or_gone_is_listed_and_the_rest_is_signed(service: Service, pictures: list[Path]) -> None:
    refused = fingerprint_bytes(pictures[1].read_bytes()).sha256
    service.answers = lambda item, outcome: (
        WorkOutcome(item.work, "refused", reason="expected an upload") if item.sha256 == refused else outcome
    )
    pictures[2].unlink()
    pictures[3].write_bytes(b"no picture")
    done = register(service, pictures, TERMS)
    assert [Path(entry.path) for entry in done.works] == [pictures[0], pictures[4]]
    reasons = {Path(each.path): each.reason for each in done.refused}
    assert reasons[pictures[1]] == "expected an upload"
    assert reasons[pictures[2]] == "path: expected a picture or a text, got nothing there"
    assert reasons[pictures[3]].startswith("expected a picture")
    consent(service, done)


def test_works_that_others_claim_are_named(service: Service, pictures: list[Path]) -> None:
    service.answers = lambda _, outcome: msgspec.structs.replace(outcome, similar=[new_id("wrk")])
    done = register(service, pictures[:1], TERMS)
    assert done.contested == done.works


def test_fingerprints_alone_are_sent_where_that_is_wanted(service: Service, pictures: list[Path]) -> None:
    def never(_: Fingerprint) -> Fingerprint:
        raise AssertionError("expected no upload")

    service.finds = never
    done = register(service, pictures[:1], TERMS, fingerprint_only=True, url="HTTPS://Pictures.example:443/a.png")
    ((item,),) = service.batches
    assert (item.mode, item.urls) == ("fingerprint-only", ["https://pictures.example/a.png"])
    assert item.iscc == f"{image_code(decode(pictures[0].read_bytes()).rgb)} {instance_code(pictures[0])}"
    consent(service, done)


def test_without_an_account_nothing_is_read(tmp_path: Path, pictures: list[Path]) -> None:
    with Service(Home(tmp_path / "empty")) as nobody, pytest.raises(NotAllowedError, match="licet account create"):
        register(nobody, pictures, TERMS)
