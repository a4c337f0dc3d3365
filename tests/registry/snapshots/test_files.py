"""Segments over HTTP: whole or in part, for ever the same, the near tier for accounts only."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.snapshots.publication import segments_folder
from registry.snapshots.publisher import publish
from registry.snapshots.routes import RangeNotSatisfiable, _range
from tests.registry.catalogue import NO_AI, Artist, artist, picture
from tests.registry.harness import Running

pytestmark = pytest.mark.anyio


@dataclass
class Files:
    exact: str
    near: str
    content: bytes
    ada: Artist


@pytest.fixture(scope="module")
async def files(site: Running) -> Files:
    ada = await artist(site)
    await ada.state([(await ada.picture(picture(1))).work], NO_AI)
    manifest = await publish(site.services)
    by_tier = {ref.tier: ref.digest for ref in manifest.segments}
    content = (segments_folder(site.services) / by_tier["exact"]).read_bytes()
    return Files(by_tier["exact"], by_tier["near"], content, ada)


async def test_a_segment_is_whole_and_named_by_its_digest(site: Running, files: Files) -> None:
    answer = await site.http.get(f"/snapshots/segments/{files.exact}")
    assert (answer.status_code, answer.content) == (200, files.content)
    assert sha256(answer.content).hexdigest() == files.exact
    assert answer.headers["content-length"] == str(len(files.content))
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["etag"] == f'"{files.exact}"'


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-9", slice(0, 10)),
        ("bytes=100-", slice(100, None)),
        ("bytes=-7", slice(-7, None)),
        ("bytes=5-99999999", slice(5, None)),
    ],
)
async def test_a_part_is_what_was_asked_for(site: Running, files: Files, asked: str, part: slice) -> None:
    answer = await site.http.get(f"/snapshots/segments/{files.exact}", headers={"Range": asked})
    expected = files.content[part]
    assert (answer.status_code, answer.content) == (206, expected)
    start, end, _ = part.indices(len(files.content))
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(files.content)}"


@pytest.mark.parametrize("asked", ["lines=1-2", "bytes=-", "bytes=9-3", "bytes=0-1,4-5", "bytes=x-y"])
async def test_a_range_that_makes_no_sense_gets_the_whole(site: Running, files: Files, asked: str) -> None:
    answer = await site.http.get(f"/snapshots/segments/{files.exact}", headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, files.content)


async def test_a_range_behind_the_end_is_refused(site: Running, files: Files) -> None:
    headers = {"Range": f"bytes={len(files.content)}-"}
    answer = await site.http.get(f"/snapshots/segments/{files.exact}", headers=headers)
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(files.content)}"
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_near_tier_goes_to_accounts_only(site: Running, files: Files) -> None:
    path = f"/snapshots/segments/{files.near}"
    assert (await site.http.get(path)).status_code == 401
    wrong = await site.http.get(path, headers={"Authorization": "Bearer lct_nonsense"})
    assert wrong.status_code == 401
    answer = await files.ada.http.get(path)
    assert (answer.status_code, sha256(answer.content).hexdigest()) == (200, files.near)
    assert answer.headers["cache-control"].startswith("private")
    assert answer.headers["vary"] == "Authorization"


@pytest.mark.parametrize("digest", ["0" * 64, "latest", "..%2F..%2Fguard.json", "A" * 64])
async def test_what_is_no_segment_is_not_found(site: Running, files: Files, digest: str) -> None:
    answer = await site.http.get(f"/snapshots/segments/{digest}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_latest_manifest_is_not_sent_again_to_who_has_it(site: Running, files: Files) -> None:
    answer = await site.http.get("/snapshots/latest")
    assert "max-age" in answer.headers["cache-control"]
    again = await site.http.get("/snapshots/latest", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@given(
    st.none() | st.text(max_size=30) | st.from_regex(r"bytes=\d{0,5}-\d{0,5}", fullmatch=True), st.integers(0, 99999)
)
def test_every_header_is_a_part_of_the_file_or_refused(header: str | None, size: int) -> None:
    try:
        start, end = _range(header, size)
    except RangeNotSatisfiable:
        return
    assert 0 <= start <= end <= size
