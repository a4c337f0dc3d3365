"""A snapshot that states a work and lacks a key that was signed for it is found out, key by key."""

from __future__ import annotations

from hashlib import sha256

import msgspec
import numpy as np
import pytest

from licet.catalogue.findable import unfindable
from licet.catalogue.held import Signed
from licet.fingerprints.iscc import image_code, instance_code, units
from licet.fingerprints.sites import site_key
from licet.fingerprints.urls import url_key
from licet.identifiers import to_uuid
from licet.index import Index, WorkRecord
from licet.index.records import FileKeys
from licet.statements.kinds import FileDigest, WorkDigest
from licet.statements.works import work_digest
from tests.sdk.index.world import index_of, uid
from tests.sdk.statements.world import PAID, identifier

URL = "https://x.example/a.png"


def hexed(name: str) -> str:
    return sha256(name.encode()).hexdigest()


def form(number: int = 1, **changes: object) -> WorkDigest:
    older = FileDigest(hexed("older"), hexed("older pixels"), None)
    made = WorkDigest(
        identifier("wrk", number), identifier("art", 1), hexed(f"file {number}"), hexed("pixels"), None, None, [URL],
        "upload", [older],
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def record(number: int = 1, **changes: object) -> WorkRecord:
    fields = {
        "work": to_uuid(identifier("wrk", number), "wrk").bytes,
        "account": uid(2, 1),
        "terms": PAID.encoded,
        "level": 0,
        "sha256": bytes.fromhex(hexed(f"file {number}")),
        "pixels": bytes.fromhex(hexed("pixels")),
        "urls": [url_key(URL)],
        "files": [FileKeys(bytes.fromhex(hexed("older")), bytes.fromhex(hexed("older pixels")))],
        **changes,
    }
    return WorkRecord(**fields)  # type: ignore[arg-type]


SIGNED = {each.work: Signed(work_digest(each).hex(), "stm_1", 9) for each in (form(1), form(2))}


def told(index: Index, forms: list[WorkDigest], size: int = 10, *, elsewhere: bool = False) -> list[str]:
    return [each.message for each in unfindable(index, size, forms, SIGNED, elsewhere=elsewhere)]


def test_a_work_that_is_found_by_all_that_was_signed_is_no_finding() -> None:
    assert told(index_of([record(1), record(2)]), [form(1), form(2)]) == []
    assert told(index_of([record(1)], [record(2)]), [form(2), form(1)]) == []


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"sha256": bytes(32)}, f"its file {hexed('file 1')}"),
        ({"pixels": None}, f"its pixels {hexed('pixels')}"),
        ({"urls": []}, f"its address {URL}"),
        ({"files": [FileKeys(bytes.fromhex(hexed("older")))]}, f"its pixels {hexed('older pixels')}"),
        ({"files": [FileKeys(bytes(32), bytes.fromhex(hexed("older pixels")))]}, f"its file {hexed('older')}"),
    ],
)
def test_each_key_that_is_lacking_is_named_though_another_work_has_it(changes: dict, missing: str) -> None:
    index = index_of([record(1, **changes), record(2)])
    assert told(index, [form(1), form(2)]) == [
        f"{form(1).work}: the snapshot does not find it by {missing}, which was signed for"
    ]


LIKE = "2e" * 32


def like(number: int = 1, **changes: object) -> WorkRecord:
    return record(number, **{"pdq": bytes.fromhex(LIKE), "quality": 90, **changes})


@pytest.mark.parametrize(
    ("there", "said", "found"),
    [
        (like(), 90, True),
        (like(quality=49), 90, False),  # the registry says elsewhere that it is good
        (like(pdq=bytes.fromhex("d1" * 32)), 90, False),
        (like(pdq=None, quality=None), 50, False),
        (like(pdq=None, quality=None), 49, True),  # what it calls too bad to be searched is not asked for
    ],
)
def test_a_near_tier_must_find_what_the_registry_calls_good(there: WorkRecord, said: int, found: bool) -> None:
    form_of = form(pdq=LIKE)
    signed = {form_of.work: Signed(work_digest(form_of).hex(), "stm_1", 9)}
    # Another work has the same hash: what finds that one does not find this one.
    index = index_of([there, like(2)])
    qualities = {(form_of.work, hexed("file 1")): said}
    messages = [each.message for each in unfindable(index, 10, [form_of], signed, elsewhere=False, qualities=qualities)]
    lacking = f"{form_of.work}: the snapshot does not find it by what is like it, PDQ {LIKE}, which was signed for"
    assert messages == ([] if found else [lacking])


def test_what_the_snapshot_need_not_have_yet_is_not_asked_of_it() -> None:
    lacking = index_of([record(1, urls=[])])
    assert told(lacking, [form(1), form(2)], size=9) == []
    assert told(lacking, [form(3)]) == []
    assert told(index_of([record(1)]), [form(1), form(2)]) == []


def test_keys_that_nobody_signed_for_are_told_unless_they_were_signed_in_another_home() -> None:
    index = index_of([record(1, pixels=None)])
    hidden = form(pixels=None)
    assert told(index, [hidden]) == [
        f"{hidden.work}: the registry has it under other keys than were signed in stm_1, log entry 9"
    ]
    assert told(index, [hidden], elsewhere=True) == []


CODES = f"{image_code(np.arange(768, dtype=np.uint8).reshape(16, 16, 3))} {instance_code(b'a file')}"


@pytest.mark.parametrize(
    ("lacking", "missing"),
    [
        ({}, None),
        ({"instance": None}, f"its instance code {CODES.split()[1]}"),
        ({"image": None}, f"its content code {CODES.split(maxsplit=1)[0]}"),
        ({"image": bytes(32)}, f"its content code {CODES.split(maxsplit=1)[0]}"),
    ],
)
def test_a_work_is_found_by_its_own_isccs(lacking: dict, missing: str | None) -> None:
    codes = {unit.kind: unit.digest for unit in units(CODES)}
    own = form(iscc=CODES)
    signed = {own.work: Signed(work_digest(own).hex(), "stm_1", 9)}
    index = index_of([record(1, **{**codes, **lacking}), record(2, **codes)])
    messages = [each.message for each in unfindable(index, 10, [own], signed, elsewhere=False)]
    expected = f"{own.work}: the snapshot does not find it by {missing}, which was signed for"
    assert messages == ([] if missing is None else [expected])


@pytest.mark.parametrize(("said", "asked_for"), [(50, True), (49, False)])
def test_a_plain_picture_need_not_be_found_by_its_content_code(said: int, asked_for: bool) -> None:
    codes: dict = {unit.kind: unit.digest for unit in units(CODES)} | {"image": None}
    own = form(iscc=CODES, pdq=LIKE)
    signed = {own.work: Signed(work_digest(own).hex(), "stm_1", 9)}
    messages = [
        each.message
        for each in unfindable(
            index_of([like(**codes)]), 10, [own], signed, elsewhere=False, qualities={(own.work, hexed("file 1")): said}
        )
    ]
    assert [CODES.split(maxsplit=1)[0] in each for each in messages] == ([True] if asked_for else [])


@pytest.mark.parametrize("site", ["example.org", "example.org/art/2024"])
def test_the_rule_of_a_site_is_found_by_what_lies_below_it_once_it_is_proven(site: str) -> None:
    nothing: dict = {"sha256": None, "pixels": None, "urls": [], "files": []}
    rule = form(mode="fingerprint-only", sha256=None, pixels=None, url=[], files=msgspec.UNSET, site=site)
    signed = {rule.work: Signed(work_digest(rule).hex(), "stm_1", 9)}

    def told_of(index: Index, proven: set[str]) -> list[str]:
        return [each.message for each in unfindable(index, 10, [rule], signed, elsewhere=False, proven=proven)]

    there = index_of([record(1, **nothing, sites=[site_key(site)])])
    gone = index_of([record(1, **nothing), record(2, **nothing, sites=[site_key(site)])])
    assert told_of(there, {rule.work}) == []
    assert told_of(gone, set()) == []
    assert told_of(gone, {rule.work}) == [
        f"{rule.work}: the snapshot does not find it by its site {site}, which was signed for"
    ]
