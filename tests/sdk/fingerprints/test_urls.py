"""Canonical addresses: one form for all spellings, stable, and keys by column equal to keys one by one."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licet.errors import InputError
from licet.fingerprints import urls as module
from licet.fingerprints.urls import MAX_URL_BYTES, canonical_url, url_key, url_keys

EXAMPLES = [
    ("https://example.org/a.jpg", "https://example.org/a.jpg"),
    ("HTTPS://EXAMPLE.org/A.jpg", "https://example.org/A.jpg"),
    ("http://example.org", "http://example.org/"),
    ("http://example.org?", "http://example.org/"),
    ("http://example.org?x", "http://example.org/?x"),
    ("https://example.org:443/a", "https://example.org/a"),
    ("http://example.org:80/a", "http://example.org/a"),
    ("http://example.org:443/a", "http://example.org:443/a"),
    ("http://example.org:/a", "http://example.org/a"),
    ("http://example.org:08080/a", "http://example.org:8080/a"),
    ("http://example.org./a", "http://example.org/a"),
    ("http://example.org/a#part", "http://example.org/a"),
    ("http://example.org/a?b=1&a=2&b=0#part?x", "http://example.org/a?b=1&a=2&b=0"),
    ("http://example.org/?#", "http://example.org/"),
    (" \thttp://example.org/a\r\n", "http://example.org/a"),
    # dot segments (RFC 3986, 5.2.4 and 6.2.2.3)
    ("http://example.org/a/b/c/./../../g", "http://example.org/a/g"),
    ("http://example.org/../../a", "http://example.org/a"),
    ("http://example.org/a/..", "http://example.org/"),
    ("http://example.org/a/b/.", "http://example.org/a/b/"),
    ("http://example.org/a/%2e%2E/b", "http://example.org/b"),
    ("http://example.org/a//../b", "http://example.org/a/b"),
    ("http://example.org/a//b/", "http://example.org/a//b/"),
    ("http://example.org/.hidden/..a/b..", "http://example.org/.hidden/..a/b.."),
    ("http://example.org/a?x=/../y", "http://example.org/a?x=/../y"),
    # percent-encoding
    ("http://example.org/%7euser/%41%2D%5f", "http://example.org/~user/A-_"),
    ("http://example.org/a%2fb%3fc", "http://example.org/a%2Fb%3Fc"),
    ("http://example.org/100%.jpg", "http://example.org/100%25.jpg"),
    ("http://example.org/%zz%4", "http://example.org/%25zz%254"),
    ("http://example.org/%2541", "http://example.org/%2541"),
    ("http://example.org/%%34%31", "http://example.org/%2541"),
    ("http://example.org/a b|c\\d", "http://example.org/a%20b%7Cc%5Cd"),
    ("http://example.org/?a[]=x y&b='", "http://example.org/?a%5B%5D=x%20y&b='"),
    ("http://example.org/?a=b+c%20d%2B", "http://example.org/?a=b+c%20d%2B"),
    ("http://example.org/图.jpg?q=é", "http://example.org/%E5%9B%BE.jpg?q=%C3%A9"),
    ("http://example.org/%e5%9b%be.jpg", "http://example.org/%E5%9B%BE.jpg"),
    # hosts
    ("http://bücher.example/", "http://xn--bcher-kva.example/"),
    ("http://BÜCHER.example/", "http://xn--bcher-kva.example/"),
    ("http://XN--BCHER-KVA.example/", "http://xn--bcher-kva.example/"),
    ("http://例え.テスト/", "http://xn--r8jz45g.xn--zckzah/"),
    ("http://例え。テスト/", "http://xn--r8jz45g.xn--zckzah/"),
    ("http://faß.example/", "http://xn--fa-hia.example/"),
    ("http://☃.example/", "http://xn--n3h.example/"),
    ("http://ｅxample.org/", "http://example.org/"),
    ("http://b%C3%BCcher.ex%61mple/", "http://xn--bcher-kva.example/"),
    ("http://my_host-/a", "http://my_host-/a"),
    ("http://192.0.2.7/a", "http://192.0.2.7/a"),
    ("http://[2001:DB8:0:0::1]:80/a", "http://[2001:db8::1]/a"),
    ("http://[::1]:8080/", "http://[::1]:8080/"),
    ("http://[::FFFF:192.0.2.1]/", "http://[::ffff:c000:201]/"),
    ("http://[1:0:0:2:0:0:0:0]/", "http://[1:0:0:2::]/"),
    ("http://[0:0:0:0:0:0:0:0]/", "http://[::]/"),
    ("http://[1:0:2:0:3:0:10:0]/", "http://[1:0:2:0:3:0:10:0]/"),
    ("http://[1:0:0:2:0:0:3:4]/", "http://[1::2:0:0:3:4]/"),
]


@pytest.mark.parametrize(("url", "expected"), EXAMPLES)
def test_a_spelling_has_its_canonical_form(url: str, expected: str) -> None:
    assert canonical_url(url) == expected
    assert canonical_url(expected) == expected


REFUSED: list[tuple[Any, str]] = [
    ("", "an absolute http or https URL"),
    ("example.org/a", "an absolute http or https URL"),
    ("//example.org/a", "an absolute http or https URL"),
    ("http:/example.org/a", "an absolute http or https URL"),
    ("http:example.org", "an absolute http or https URL"),
    ("ftp://example.org/a", "the scheme http or https"),
    ("javascript://example.org/%0aalert(1)", "the scheme http or https"),
    ("data:image/png;base64,AAAA", "an absolute http or https URL"),
    ("http://user@example.org/", "no user name or password"),
    ("http://user:secret@example.org/", "no user name or password"),
    ("http://@example.org/", "no user name or password"),
    ("http:///a", "a host name"),
    ("http://:80/a", "a host name"),
    ("http://exa mple.org/", "a host name"),
    ("http://example..org/", "a host name"),
    ("http://.example.org/", "a host name"),
    ("http://example.org../", "a host name"),
    ("http://example.org\\@evil.example/", "no user name or password"),
    ("http://example.org\\evil/", "a host name"),
    ("http://exa%2Fmple.org/", "a host name"),
    ("http://exa／mple.org/", "a host name"),
    ("http://%ff.org/", "a host in UTF-8"),
    ("http://\u2488com/", "host name"),
    ("http://" + "a" * 64 + ".org/", "a host name"),
    ("http://" + "a." * 127 + "org/", "a host name"),
    ("http://192.0.2.256/", "four decimal numbers"),
    ("http://192.0.2/", "four decimal numbers"),
    ("http://0x7f.1/", "four decimal numbers"),
    ("http://3221225985/", "four decimal numbers"),
    ("http://0xc0000201/", "four decimal numbers"),
    ("http://[::1/", "an IPv6 address"),
    ("http://[fe80::1%25eth0]/", "an IPv6 address"),
    ("http://[1.2.3.4]/", "an IPv6 address"),
    ("http://example.org:0/", "a port from 1 to 65535"),
    ("http://example.org:65536/", "a port from 1 to 65535"),
    ("http://example.org:8a/", "a port from 1 to 65535"),
    ("http://example.org:-1/", "a port from 1 to 65535"),
    ("http://example.org:٨٠/", "a port from 1 to 65535"),
    ("http://example.org/a\tb", "no control characters"),
    ("http://example.org/a\x00", "no control characters"),
    ("http://example.org/\ud800", "lone surrogates"),
    ("http://example.org/" + "a" * MAX_URL_BYTES, "at most 8,192 bytes"),
    ("http://example.org/" + "图" * 1500, "at most 8,192 bytes"),
    (None, "a text"),
    (b"http://example.org/", "a text"),
]


@pytest.mark.parametrize(("url", "message"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_no_address_is_refused_and_named(url: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        canonical_url(url)
    assert caught.value.details["field"] == "url"
    if isinstance(url, str):
        assert not url_keys([url])[1].any()


def test_the_refusal_of_a_password_does_not_repeat_it() -> None:
    with pytest.raises(InputError) as caught:
        canonical_url("http://user:secret@example.org/")
    assert "secret" not in repr((str(caught.value), caught.value.details))


def test_the_limit_counts_bytes_and_is_inclusive() -> None:
    longest = "http://example.org/" + "a" * (MAX_URL_BYTES - 19)
    assert canonical_url(longest) == longest
    with pytest.raises(InputError, match="got '8,193 bytes'"):
        canonical_url(longest + "a")


def test_a_url_key_is_the_first_half_of_the_digest_of_the_canonical_form() -> None:
    expected = hashlib.sha256(b"https://example.org/a%20b").digest()[:16]
    assert url_key("HTTPS://example.org:443/a b#c") == expected


ALPHABET = "aZ09-._~:/?#[]@!$&'()*+,;=%2eEfF \\|^éß。图\u0301%41%2F/../"
HOSTS = [
    "example.org",
    "a_b.c",
    "192.0.2.1",
    "[::1]",
    "bücher.example",
    "x.0x1",
    "a" * 41 + ".b",
    "a" * 42 + ".b",
    "A.b",
]
ADDRESS = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["http://", "https://", "HTTP://", "ftp://", ""]),
    st.one_of(st.sampled_from(HOSTS), st.text(ALPHABET, max_size=8), st.from_regex(r"[a-z0-9.-]{1,9}", fullmatch=True)),
    st.sampled_from(["", ":80", ":443", ":8080", "/"]),
    st.one_of(st.text(ALPHABET, max_size=24).map("/{}".format), st.text(max_size=10)),
)


@settings(max_examples=400)
@given(ADDRESS)
def test_a_canonical_form_is_ascii_and_its_own_canonical_form(url: str) -> None:
    try:
        canonical = canonical_url(url)
    except InputError:
        return
    assert canonical.isascii()
    assert canonical_url(canonical) == canonical
    assert "#" not in canonical
    assert "/../" not in canonical.partition("?")[0]


@settings(max_examples=400)
@given(ADDRESS)
def test_what_passes_as_canonical_at_first_sight_is_canonical(url: str) -> None:
    plain = module._PLAIN
    if plain.fullmatch(url) and "/." not in url:
        module._PLAIN = type("Never", (), {"fullmatch": staticmethod(lambda _: None)})()  # type: ignore[misc]
        try:
            assert canonical_url(url) == url
        finally:
            module._PLAIN = plain  # type: ignore[misc]


@given(st.lists(st.one_of(st.none(), ADDRESS), max_size=12))
def test_keys_by_column_equal_keys_one_by_one(urls: list[str | None]) -> None:
    keys, valid = url_keys(urls)
    assert keys.shape == (len(urls), 16)
    assert keys.dtype == np.uint8
    for url, key, good in zip(urls, keys, valid, strict=True):
        try:
            expected = None if url is None else url_key(url)
        except InputError:
            expected = None
        assert good == (expected is not None)
        assert key.tobytes() == (expected or bytes(16))
    clean = [None if url is None else url.encode("utf-8", "replace").decode() for url in urls]
    expected_keys, expected_valid = url_keys(clean)
    for column in (pa.array(clean, pa.string()), pa.chunked_array([clean[:3], clean[3:]], pa.large_string())):
        by_column = url_keys(column)
        assert np.array_equal(by_column[0], expected_keys)
        assert np.array_equal(by_column[1], expected_valid)


def test_examples_have_the_same_keys_in_every_kind_of_column() -> None:
    spellings = [url for url, _ in EXAMPLES] + [url for url, _ in REFUSED[:-4] if url.isprintable()] + [None]
    keys, valid = url_keys(spellings)
    assert valid.sum() == len(EXAMPLES)
    for column in (
        pa.array(spellings),
        pa.array(spellings, pa.large_string()),
        pa.array(spellings).dictionary_encode(),
        pa.array(spellings, pa.string_view()),
        pa.chunked_array([pa.array(spellings[:7]), pa.array(spellings[7:])]),
    ):
        by_column = url_keys(column)
        assert np.array_equal(by_column[0], keys)
        assert np.array_equal(by_column[1], valid)


def test_empty_and_other_columns() -> None:
    columns: list[Any] = [[], pa.array([], pa.string()), pa.array([None, None], pa.null())]
    for empty in columns:
        keys, valid = url_keys(empty)
        assert keys.shape == (len(empty), 16)
        assert not valid.any()
    with pytest.raises(InputError, match="urls: expected a column of strings"):
        url_keys(pa.array([[1], [2]]))
    assert not url_keys([7, b"http://example.org/"])[1].any()
