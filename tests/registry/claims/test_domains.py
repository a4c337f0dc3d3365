"""Domains as they are claimed, and the addresses that they may have."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.exchange.addresses import is_public
from registry.claims.domains import LONGEST, domain_of, record_of
from registry.errors import Invalid


@pytest.mark.parametrize(
    ("given", "claimed"),
    [
        ("example.org", "example.org"),
        (" Example.ORG. ", "example.org"),
        ("www.example.co.uk", "www.example.co.uk"),
        ("ada.github.io", "ada.github.io"),
        ("Bücher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("例子.测试", "xn--fsqu00a.xn--0zwm56d"),
        ("faß.de", "xn--fa-hia.de"),
    ],
)
def test_every_spelling_of_a_domain_is_one(given: str, claimed: str) -> None:
    assert domain_of(given) == claimed
    assert domain_of(claimed) == claimed


@pytest.mark.parametrize(
    "given",
    [
        *("", ".", "org", "co.uk", "github.io", "kawasaki.jp", "xn--fiqs8s"),
        *("https://example.org", "example.org/path", "user@example.org", "example.org:443", "*.example.org"),
        *("127.0.0.1", "1.2.3", "example.0x7f", "[::1]", "::1", "fe80::1%eth0"),
        *("localhost", "a.localhost", "printer.local", "db.internal", "x.onion", "1.0.0.127.in-addr.arpa"),
        *("a..org", "-a.example", "a-.example", "a_b.example", "a b.example", "a\0.example", "ex\nample.org"),
        *("a." * 130 + "org", "a" * 64 + ".org", "xn--\x80.org", "xn--a.org", "\ud800.org", "\u202egro.elpmaxe"),
        ".".join(["a" * 60] * 4) + ".example",
    ],
)
def test_what_nobody_controls_alone_is_refused_by_name(given: str) -> None:
    with pytest.raises(Invalid) as refused:
        domain_of(given)
    assert refused.value.detail.startswith("domain: expected ")


@given(st.text(max_size=300) | st.from_regex(r"[A-Za-z0-9.ü例_-]{1,80}", fullmatch=True))
def test_any_text_is_a_domain_in_one_form_or_refused(text: str) -> None:
    try:
        domain = domain_of(text)
    except Invalid:
        return
    assert domain_of(domain) == domain
    assert domain.isascii()
    assert len(domain) <= LONGEST
    assert len(record_of(domain)) <= 253


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.255", "169.254.169.254", "172.31.255.255"),
        *("168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"),  # of clouds, for guests
        *("192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.7", "203.0.113.9"),
        *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:8.8.8.8", "64:ff9b::8.8.8.8"),
        *("64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1", "3fff::1", "5f00::1"),
        *("fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "2606:4700::1%eth0", "fec0::1", "ff02::1", "4000::1"),
    ],
)
def test_no_address_of_our_own_network_is_connected_to(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "193.0.0.1", "2606:4700:4700::1111", "2a00:1450:4001::5"])
def test_the_public_internet_is(address: str) -> None:
    assert is_public(ip_address(address))


@given(st.ip_addresses(v=4))
def test_no_ipv4_address_comes_in_inside_of_an_ipv6_one(inner: IPv4Address) -> None:
    number = int(inner)
    for outer in (
        number,
        0xFFFF << 32 | number,
        0xFFFF << 48 | number,
        0x64FF9B << 96 | number,
        0x2002 << 112 | number << 80,
    ):
        assert not is_public(IPv6Address(outer))
    teredo = 0x2001 << 112 | (number ^ 0xFFFFFFFF)
    assert not is_public(IPv6Address(teredo))


@given(st.ip_addresses())
def test_whatever_counts_as_public_python_calls_global(address: IPv4Address | IPv6Address) -> None:
    assert not is_public(address) or (address.is_global and not address.is_multicast)
