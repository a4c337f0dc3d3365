"""Sites: one spelling of each, and every rule above an address found however the address is spelt."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.errors import InputError
from licet.fingerprints.sites import (
    MAX_LABELS,
    MAX_SEGMENTS,
    MOST_HOSTS,
    MOST_PATHS,
    is_below,
    probes,
    site_key,
    site_of,
    sites_above,
)
from licet.fingerprints.urls import canonical_url

labels = st.sampled_from(["a", "b", "xn--bcher-kva", "bücher", "example", "org", "co", "uk", "a1"])
hosts = st.lists(labels, min_size=2, max_size=4).map(".".join)
segments = st.lists(
    st.sampled_from(["a", "b", "a b", "é", "%2F", "a%2fb", "..%5Ca", "%41", "a;b", "..", ".", ""]), max_size=5
)
paths = segments.map(lambda parts: "/" + "/".join(parts))


@pytest.mark.parametrize(
    ("text", "site"),
    [
        ("example.org", "example.org"),
        ("EXAMPLE.org./", "example.org"),
        ("https://example.org:443/Gallery//2024/", "example.org/Gallery/2024"),
        ("example.org:80/a/../b", "example.org/b"),
        ("bücher.example/%7Ea/%2f", "xn--bcher-kva.example/~a/%2F"),
        ("ex%61mple.org/x y", "example.org/x%20y"),
        (".".join("a" * MAX_LABELS), ".".join("a" * MAX_LABELS)),
    ],
)
def test_a_site_has_one_spelling(text: str, site: str) -> None:
    assert site_of(text) == site
    assert site_of(site) == site


@pytest.mark.parametrize(
    "text",
    [
        "",
        "org",
        "localhost/a",
        "192.0.2.1",
        "192.0.2.1/a",
        "[2001:db8::1]/a",
        "user@example.org",
        "user:secret@example.org/a",
        "example.org:8443",
        "example.org/a?b",
        "example.org/a#b",
        "ftp://example.org",
        "*.example.org",
        "_a.example.org",
        "a..example.org",
        "example.org\\@evil.example",
        "example.org/\x00",
        ".".join("a" * (MAX_LABELS + 1)),
        "example.org/" + "a/" * (MAX_SEGMENTS + 1),
        "example.org/" + "a" * 2000,
        "\ud800.example",
        7,
    ],
)
def test_what_is_no_site_is_refused_by_name(text: Any) -> None:
    with pytest.raises(InputError, match=r"^site: expected"):
        site_of(text)


@given(st.text(max_size=60) | st.builds(lambda a, b: f"{a}.example/{b}", st.text(max_size=9), st.text(max_size=9)))
def test_any_text_is_a_site_with_one_spelling_or_is_refused(text: str) -> None:
    try:
        site = site_of(text)
    except InputError:
        return
    assert site_of(site) == site
    assert site in {*sites_above(f"https://{site}/x")}


@given(hosts, paths, hosts, paths)
def test_an_address_is_below_a_site_if_its_labels_end_and_its_segments_begin_alike(
    host: str, path: str, other: str, below: str
) -> None:
    site = site_of(host + path)
    name, _, rest = site.partition("/")
    prefix = [part for part in rest.split("/") if part]
    url = f"https://{other}{below}"
    there = canonical_url(url).split("/", 3)[2]
    # In the spelling that sites have, too: as it stands, and as a server reads it to which escaped slashes are some.
    readings = canonical_url(url), canonical_url(re.sub("%2f|%5c", "/", url, flags=re.IGNORECASE))
    own = [[part for part in each.split("/", 3)[3].split("/") if part][: len(prefix)] for each in readings]
    covered = there.split(".")[-name.count(".") - 1 :] == name.split(".") and prefix in own
    assert (site in {*sites_above(url)}) == covered
    assert is_below(there, name) == (there.split(".")[-name.count(".") - 1 :] == name.split("."))


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("gallery%2Fa.png", "gallery"),
        ("gallery%2fa.png", "gallery"),
        ("gallery%5Ca.png", "gallery"),
        ("gallery\\a.png", "gallery"),
        ("a%2F..%2Fgallery%2Fb", "gallery"),
        ("a/..%2F..%2Fgallery/b", "gallery"),
        ("gallery%2F2024/a.png", "gallery/2024"),
        ("gallery%2F2024/a.png", "gallery%2F2024"),  # as it stands it still falls under what names it so
    ],
)
def test_a_slash_that_is_escaped_leads_out_of_no_rule(address: str, site: str) -> None:
    above = list(sites_above(f"https://example.org/{address}?a%2Fb"))
    assert site_of(f"example.org/{site}") in above
    assert len(set(above)) == len(above)
    assert "example.org/gallery" not in {*sites_above("https://example.org/gallery2%2Fa?/gallery%2Fa")}


@given(st.lists(st.text("ab./", max_size=400) | st.lists(st.sampled_from(["a", "/", "%2F"])).map("".join), max_size=3))
def test_however_long_an_address_is_few_sites_can_be_above_it(parts: list[str]) -> None:
    try:
        above = list(sites_above("http://" + "/".join(parts)))
    except InputError:
        return
    assert len(above) <= MOST_HOSTS * MOST_PATHS
    assert len(set(above)) == len(above)


@given(
    st.lists(st.none() | st.builds(lambda h, p: f"http://{h}{p}", hosts, paths) | st.text(max_size=20), max_size=8),
    st.lists(st.builds(lambda h, p: site_of(h + p), hosts, paths), max_size=4),
    st.sampled_from([list, pa.array, lambda urls: pa.chunked_array([urls], pa.string())]),
)
def test_a_column_asks_for_what_its_addresses_fall_under(urls: Any, sites: list[str], form: Any) -> None:
    rules = {int.from_bytes(site_key(site)[:8]): site_key(site) for site in sites}

    def held(hi: Any) -> Any:
        return np.isin(hi, np.array(list(rules), np.uint64))

    row, hi, lo = probes(form(urls), held)
    asked = {
        (at, one.to_bytes(8) + other.to_bytes(8))
        for at, one, other in zip(row.tolist(), hi.tolist(), lo.tolist(), strict=True)
    }
    expected = set()
    for at, url in enumerate(urls):
        try:
            expected |= {(at, site_key(site)) for site in sites_above(url or "")}
        except InputError:
            continue
    assert {pair for pair in asked if pair[1] in map(site_key, sites)} == {
        pair for pair in expected if pair[1] in map(site_key, sites)
    }
    assert asked <= expected


@pytest.mark.parametrize("form", [list, pa.array])
def test_hosts_that_are_not_ascii_are_looked_up_in_a_column_too(form: Any) -> None:
    urls = [
        "http://a.example/x",
        "http://bücher.example/x",
        "http://" + "ü" * 60 + ".example/x",  # longer than a name may be
        "http://b.example/x",
        "http://BÜCHER.example/",
    ]
    sites = ["xn--bcher-kva.example", "b.example"]
    halves = np.frombuffer(b"".join(site_key(site)[:8] for site in sites), ">u8").astype(np.uint64)
    rows, _, _ = probes(form(urls), lambda hi: np.isin(hi, halves))
    assert sorted({*rows.tolist()}) == [1, 3, 4]
