"""Adding pictures without scripts: what a form of files does once and twice, and what it says of what is no picture."""

from __future__ import annotations

import re
from hashlib import sha256

import httpx
import pytest

from registry.portal.artists.adding import PLAIN
from tests.registry import keymaking as make
from tests.registry.harness import Running
from tests.registry.portal.people import HTML, Artist, Read, fields_of, joined
from tests.whole.stage import drawing, encoded

pytestmark = pytest.mark.anyio

FIRST, SECOND = (encoded(drawing(8_500_000 + each, 128)) for each in range(2))


@pytest.fixture
async def artist(site: Running) -> Artist:
    return await joined(site, "Su Tang")


async def adds(
    artist: Artist, *files: tuple[str, bytes], language: str = "en", form: str | None = None
) -> httpx.Response:
    """Send the plain form with ``files``, as a browser does."""
    token = (await artist.form(f"/{language}/add"))["form"][0] if form is None else form
    return await artist.http.post(
        f"/{language}/add",
        data={"form": token},
        files=[("picture", (name, content, "application/octet-stream")) for name, content in files],
        headers={**HTML, **make.SAME_ORIGIN},
    )


def to_sign(answer: httpx.Response) -> list[str]:
    return fields_of(answer.text).get("w", [])


async def works(artist: Artist) -> dict[str, str]:
    """The artist's works: title by the digest of the file."""
    return {each["sha256"]: each["title"] for each in (await artist.http.get("/v1/works")).json()["items"]}


async def test_each_picture_of_a_form_is_answered_for_itself_and_twice_is_once(artist: Artist) -> None:
    files = [("Salt.png", FIRST), ("海.png", SECOND), ("Copy.png", FIRST), ("notes.png", b"none"), ("empty.png", b"")]
    answer = await adds(artist, *files)
    page = Read(answer.text)
    assert answer.status_code == 200, page.text
    expected = {sha256(FIRST).hexdigest(): "Salt", sha256(SECOND).hexdigest(): "海"}
    assert await works(artist) == expected
    assert page.text.count("could not open it as a picture. ") == 2
    first = to_sign(answer)
    assert len(set(first)) == len(first) == 2
    again = await adds(artist, *files, language="zh")
    assert (await works(artist), to_sign(again)) == (expected, first)
    # Straight to terms for exactly these, and once signed there is nothing left to do.
    form = await artist.sends("/en/terms", {**fields_of(answer.text)})
    assert fields_of(form.text)["w"] == sorted(first)
    assert (await artist.sends("/en/terms/sign", artist.signed(fields_of(form.text)))).status_code == 303
    signed = await adds(artist, *files)
    assert to_sign(signed) == []
    assert Read(signed.text).text.count("Here already, and signed") == 3


async def test_a_picture_that_others_have_signed_for_says_so_at_once(artist: Artist, mei: Artist) -> None:
    third = encoded(drawing(8_500_002, 128))
    says = "Another account has registered a picture like it"
    answer = await adds(artist, ("Heron.png", third))
    assert Read(answer.text).text.count(says) == 1  # what the script has to say where it is so
    form = await artist.sends("/en/terms", {**fields_of(answer.text)})
    assert (await artist.sends("/en/terms/sign", artist.signed(fields_of(form.text)))).status_code == 303
    assert Read((await adds(mei, ("Mine.png", third))).text).text.count(says) == 2
    again = Read((await adds(artist, ("H.png", third), language="zh")).text).text
    assert again.count("另一个账号登记了一张和它很像的画") == 1


async def test_a_form_of_too_many_of_too_large_or_of_no_files_says_so_and_adds_nothing(artist: Artist) -> None:
    many = await adds(artist, *((f"{each}.png", FIRST) for each in range(PLAIN + 1)))
    assert (many.status_code, f"more than {PLAIN}" in Read(many.text).text) == (400, True)
    none = await adds(artist, ("", b""))
    assert (none.status_code, "no picture in it" in Read(none.text).text) == (400, True)
    large = await adds(artist, ("large.png", bytes(artist.site.services.settings.upload_bytes + 1)))
    assert (large.status_code, "larger than 50 MB" in Read(large.text).text) == (200, True)
    assert await works(artist) == {}


async def test_a_form_of_another_session_adds_nothing(artist: Artist, mei: Artist) -> None:
    token = (await mei.form("/en/add"))["form"][0]
    for form in (token, "", "xx"):
        assert (await adds(artist, ("a.png", FIRST), form=form)).status_code == 403
    nobody = await artist.site.http.post(
        "/en/add", data={"form": token}, files={"picture": ("a.png", FIRST)}, headers={**HTML, **make.SAME_ORIGIN}
    )
    assert nobody.status_code == 401
    assert await works(artist) == {}


async def test_what_looks_at_files_can_reach_nothing(artist: Artist) -> None:
    page = (await artist.http.get("/en/add", headers=HTML)).text
    (worker,) = re.findall(r'data-worker="([^"]+)"', page)
    policy = (await artist.http.get(worker)).headers["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    assert "connect-src" not in policy
    assert "sandbox" not in policy  # it would have no secure origin, and without one no WebCrypto
    for never in ("DID", "hash", "token", "SHA-256"):
        assert never not in Read(page).text
