"""Looking for a proof at a real DNS server and a real web server, which may both lie, stall and point at us."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from registry.claims import looking
from registry.claims.looking import MAX_FILE, Found, Looker
from registry.settings import Settings
from tests.registry.claims.internet import NAMES, Internet

pytestmark = pytest.mark.anyio
VALUE = "licet-claim-v1:art_01:" + "x" * 43


async def look(net: Internet, domain: str = "ada.example", **changes: Any) -> Found:
    return await Looker(Settings.load(**{**net.settings, **changes})).look(domain, VALUE)


def problem(found: Found) -> str:
    assert found.method is None
    assert found.problem is not None
    return found.problem


async def test_a_record_proves_whatever_stands_beside_it(net: Internet) -> None:
    net.put_record("ada.example", "v=spf1 -all", VALUE, "another")
    assert await look(net) == Found("dns")
    net.put_record("ada.example", VALUE[:30] + '" "' + VALUE[30:])  # one text in two strings
    assert await look(net) == Found("dns")


async def test_a_record_that_is_too_long_for_a_datagram_is_read_over_tcp(net: Internet) -> None:
    net.put_record("ada.example", *(f"{n} " + "y" * 240 for n in range(40)), VALUE)
    assert await look(net) == Found("dns")


async def test_a_record_may_be_kept_elsewhere_by_an_alias(net: Internet) -> None:
    net.records["_licet.ada.example", "CNAME"] = ["proofs.eve.example"]
    net.records["proofs.eve.example", "TXT"] = [f'"{VALUE}"']
    assert await look(net) == Found("dns")


@pytest.mark.parametrize("how", ["strays", "denied"])
async def test_a_record_of_another_name_or_beside_the_answer_proves_nothing(net: Internet, how: str) -> None:
    net.put_record("ada.example", VALUE)
    net.broken["_licet.ada.example"] = how
    problem(await look(net))


async def test_a_line_of_a_file_proves(net: Internet) -> None:
    net.put_file("ada.example", b"# mine\r\n  " + VALUE.encode() + b" \r\n\xff\xfe\n")
    assert await look(net) == Found("file")
    assert net.asked[0].startswith(b"GET /.well-known/licet.txt HTTP/1.1\r\n")
    assert b"\r\nHost: ada.example\r\n" in net.asked[0]


async def test_an_international_domain_is_asked_for_as_dns_has_it(net: Internet) -> None:
    net.put_file("xn--bcher-kva.example", VALUE.encode())
    assert await look(net, "xn--bcher-kva.example") == Found("file")


async def test_what_is_almost_the_value_proves_nothing(net: Internet) -> None:
    net.put_record("ada.example", VALUE[:-1], VALUE + "x", VALUE.upper(), f"proof={VALUE}")
    net.put_file("ada.example", b"see " + VALUE.encode() + b"\n" + VALUE[:-1].encode())
    said = problem(await look(net))
    assert "the TXT record _licet.ada.example is there, but does not hold the value" in said
    assert "https://ada.example/.well-known/licet.txt is there, but does not hold the value" in said


async def test_nothing_there_is_told_as_nothing_there(net: Internet) -> None:
    found = await look(net)
    assert found.looked
    told = "there is no TXT record _licet.ada.example; ada.example has no public address to fetch "
    assert problem(found) == told + "/.well-known/licet.txt from"


@pytest.mark.parametrize("kind", ["A", "AAAA"])
async def test_no_address_of_our_own_network_is_fetched_from(net: Internet, kind: str) -> None:
    """What is told is the same as for a name that has no address: it says nothing about our network."""
    net.put_file("ada.example", VALUE.encode())
    net.records["ada.example", kind] = ["127.0.0.1"] if kind == "A" else ["::ffff:127.0.0.1"]
    said = problem(await look(net, claims_loopback_port=0))
    assert said.endswith("ada.example has no public address to fetch /.well-known/licet.txt from")
    assert not net.asked


async def test_one_address_of_our_network_among_public_ones_is_one_too_many(net: Internet) -> None:
    net.records["ada.example", "A"] = ["93.184.215.14", "10.0.0.1"]
    assert "no public address" in problem(await look(net, claims_loopback_port=0))


async def test_for_tests_only_loopback_is_connected_to(net: Internet) -> None:
    net.put_file("ada.example", VALUE.encode())
    net.records["ada.example", "A"] = ["93.184.215.14"]
    assert "no public address" in problem(await look(net))
    assert not net.asked


async def test_the_certificate_must_be_the_domains(net: Internet) -> None:
    net.put_file("stranger.example", VALUE.encode())
    assert "stranger.example" not in NAMES
    assert "its certificate does not hold" in problem(await look(net, "stranger.example"))
    net.put_file("ada.example", VALUE.encode())
    said = problem(await look(net, claims_authorities=None))  # the system's authorities know nothing of ours
    assert "its certificate does not hold" in said
    assert not net.asked


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
async def test_a_redirect_is_not_followed(net: Internet, status: str) -> None:
    net.put_file("eve.example", VALUE.encode())
    net.put_file("ada.example", VALUE.encode(), status=status, headers="Location: https://eve.example/\r\n")
    assert f"answers {status[:3]}, and redirects are not followed" in problem(await look(net))
    assert len(net.asked) == 1


async def test_no_proxy_of_the_environment_is_used(net: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    net.put_file("ada.example", VALUE.encode())
    assert await look(net) == Found("file")


async def test_a_file_past_the_limit_is_not_read_on(net: Internet) -> None:
    net.put_file("ada.example", VALUE.encode() + b"\n" * MAX_FILE)
    assert "longer than 16,384 bytes" in problem(await look(net))


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"not http at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n",
    ],
)
async def test_an_answer_that_is_none_is_a_problem_in_words(net: Internet, answer: bytes) -> None:
    net.put_file("ada.example", b"")
    net.files["ada.example"] = answer
    assert "https://ada.example/.well-known/licet.txt" in problem(await look(net))


async def test_who_never_answers_is_left(net: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "_STEP_TIMEOUT", 0.2)
    net.put_file("ada.example", b"")
    net.files["ada.example"] = b"HTTP/1.1 200 OK\r\n"
    net.stalls.add("ada.example")
    assert "cannot be fetched (ReadTimeout)" in problem(await look(net))
    monkeypatch.setattr(looking, "_STEP_TIMEOUT", 60.0)
    monkeypatch.setattr(looking, "TOTAL_TIMEOUT", 0.2)
    assert "looking took longer" in problem(await look(net))


@pytest.mark.parametrize("broken", ["servfail", "loop"])
async def test_failing_name_servers_are_the_domains_own_trouble(net: Internet, broken: str) -> None:
    net.broken["_licet.ada.example"] = broken
    net.put_file("ada.example", VALUE.encode())
    assert await look(net) == Found("file")  # the other way is still open
    net.files.clear()
    found = await look(net)
    assert found.looked
    assert "_licet.ada.example" in problem(found)


async def test_a_resolver_that_does_not_answer_says_nothing_of_the_domain(
    net: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "DNS_TIMEOUT", 0.3)
    for broken in ("silent", "garbage"):
        net.broken["_licet.ada.example"] = broken
        found = await look(net)
        assert not found.looked
        assert problem(found).startswith("the name _licet.ada.example cannot be looked up now (LifetimeTimeout)")
    net.put_file("ada.example", VALUE.encode())
    assert await look(net) == Found("file")  # the other way is still open
    assert (await asyncio.wait_for(look(net, claims_resolver="127.0.0.1:9"), 5)).looked is False
