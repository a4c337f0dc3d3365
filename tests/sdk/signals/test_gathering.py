"""Fetching from strangers, on real servers of this machine: polite, within limits, and never into a private network."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from licet.cli import main
from licet.errors import InputError, UnreachableError
from licet.signals.cache import Cache
from licet.signals.gathering import AGENT, FAILED, KEPT, Gathered, gather_all
from licet.transport.strangers import MAX_REDIRECTS, Strangers
from tests.sdk.signals.sites import Site, sites

__all__ = ["sites"]

RSL = (
    b'<rsl xmlns="https://rslstandard.org/rsl" max-age="7"><content url="/"><license>'
    b'<permits type="usage">ai-train</permits><payment type="training"/></license></content></rsl>'
)


def gather(*urls: str, cache: Cache | None = None, seconds: float = 5) -> list[Gathered]:
    with cache or Cache() as kept:
        return asyncio.run(gather_all(urls, kept, loopback=True, pause=0, seconds=seconds))


def verdict(found: Gathered, use: str) -> tuple[str, str]:
    return found.combined.verdict([use]).verdict, found.combined.verdict([use]).reason


def test_everything_that_a_site_says_is_found_and_what_it_points_to_is_read(sites: list[Site]) -> None:
    site, _ = sites
    site.says("/robots.txt", b"User-agent: GPTBot\nDisallow: /private/\nLicense: /rsl.xml\nContent-Usage: search=n\n")
    site.says("/rsl.xml", RSL)
    site.says("/.well-known/tdmrep.json", b'[{"location": "/", "tdm-reservation": 1}]')
    site.says("/ai.txt", b"User-agent: *\nDisallow: *.gif\n")
    site.says(
        "/a.html", b"<meta name=robots content=noindex>", Content_Type="text/html; charset=utf-8", X_Robots_Tag="NoAI"
    )
    (found,) = gather(f"{site.url}/a.html")
    assert {each.standard for each in found.combined.signals} == {"rsl", "aipref", "tdmrep", "robots-meta"}
    assert verdict(found, "train-gen")[0] == verdict(found, "search")[0] == "deny"
    assert not any(each.awaits for each in found.combined.signals)
    assert {each.url for each in found.seen} == {
        f"{site.url}{path}" for path in ("/robots.txt", "/rsl.xml", "/.well-known/tdmrep.json", "/ai.txt", "/a.html")
    }
    assert {host for _, host in site.asked} == {site.url.removeprefix("http://")}, "hosts are told the name asked for"


def test_a_licence_that_can_be_had_offers_and_one_that_cannot_denies(sites: list[Site]) -> None:
    site, other = sites
    site.says("/robots.txt", f"License: {other.url}/rsl.xml\n".encode())
    site.says("/a")
    document = RSL.replace(b'url="/"', f'url="{site.url}/*"'.encode())
    other.says("/rsl.xml", document)
    assert verdict(gather(f"{site.url}/a")[0], "train-gen") == ("license", "offered")
    other.says("/robots.txt", b"User-agent: *\nDisallow: /")
    assert verdict(gather(f"{site.url}/a")[0], "train-gen") == ("deny", "not-fetched")
    other.says("/robots.txt", b"", 503)
    assert verdict(gather(f"{site.url}/a")[0], "train-gen") == ("deny", "not-fetched")


def test_a_reservation_is_lifted_by_a_policy_that_can_be_read(sites: list[Site]) -> None:
    site, _ = sites
    site.says("/a", tdm_reservation="1", tdm_policy="/p.json")
    assert verdict(gather(f"{site.url}/a")[0], "mine") == ("deny", "reserved")
    offer = {"@type": "Offer", "permission": [{"action": "tdm:mine", "duty": [{"action": "tdm:obtainConsent"}]}]}
    site.says("/p.json", json.dumps(offer).encode())
    found = gather(f"{site.url}/a")[0]
    assert verdict(found, "mine") == ("license", "offered")
    assert verdict(found, "train-gen")[0] == "deny"


def test_what_robots_keeps_us_from_is_not_fetched(sites: list[Site]) -> None:
    site, _ = sites
    site.says("/robots.txt", f"User-agent: {AGENT}\nDisallow: /\n".encode())
    site.says("/a", b"x")
    (found,) = gather(f"{site.url}/a")
    assert [path for path, _ in site.asked] == ["/robots.txt"]
    assert verdict(found, "mine")[0] == "review"


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_site_that_fails_is_looked_at(sites: list[Site], status: int) -> None:
    site, _ = sites
    site.says("/robots.txt", b"", status)
    site.says("/a", b"x")
    (found,) = gather(f"{site.url}/a")
    assert verdict(found, "mine") == ("review", "unreachable")
    assert site.count("/a") == 0, "a robots.txt that fails keeps everybody out"
    site.says("/robots.txt", b"")
    site.says("/ai.txt", b"", status)
    assert verdict(gather(f"{site.url}/a")[0], "mine") == ("review", "unreachable")


def test_a_site_that_has_nothing_says_nothing_even_if_it_answers_pages_to_everything(sites: list[Site]) -> None:
    site, _ = sites
    site.says("/a", b"x")
    assert verdict(gather(f"{site.url}/a")[0], "mine") == ("unknown", "no-signal")
    for path in ("/robots.txt", "/ai.txt", "/.well-known/tdmrep.json"):
        site.says(path, b"<!doctype html><p>Disallow: /", Content_Type="text/html")
    assert verdict(gather(f"{site.url}/a")[0], "mine") == ("unknown", "no-signal")
    site.says("/robots.txt", b"<p>moved</p>\nUser-agent: CCBot\nDisallow: /a\n" + b" " * 600_000)
    assert verdict(gather(f"{site.url}/a")[0], "mine") == ("deny", "crawler-shut-out"), "lines that are rules count"
    assert verdict(gather(f"{site.url}/gone")[0], "mine") == ("unknown", "no-signal")
    site.says("/closed", b"", 403)
    assert verdict(gather(f"{site.url}/closed")[0], "mine") == ("review", "unreachable")


def test_where_it_sends_on_that_hosts_word_counts_too(sites: list[Site]) -> None:
    site, other = sites
    site.says("/a", b"", 302, Location=f"{other.url}/b", X_Robots_Tag="noindex")
    other.says("/robots.txt", b"User-agent: GPTBot\nDisallow: /b\n")
    other.says("/b", b"x", Content_Usage="train-ai=n")
    (found,) = gather(f"{site.url}/a")
    assert verdict(found, "search")[0] == verdict(found, "train-nongen")[0] == "deny"
    other.says("/robots.txt", f"User-agent: {AGENT}\nDisallow: /b\n".encode())
    before = other.count("/b")
    assert verdict(gather(f"{site.url}/a")[0], "mine") == ("review", "unreachable")
    assert other.count("/b") == before
    site.says("/round", b"", 301, Location="/round")
    assert verdict(gather(f"{site.url}/round")[0], "mine") == ("review", "unreachable")
    assert site.count("/round") == 1, "what was fetched is not fetched again"


def test_what_was_fetched_is_kept_and_a_stopped_job_goes_on(sites: list[Site], tmp_path: Path) -> None:
    site, _ = sites
    clock = [1000.0]
    site.says("/robots.txt", b"License: /rsl.xml\n")
    site.says("/rsl.xml", RSL)
    site.says("/a", b"x")

    def again(*paths: str) -> dict[str, int]:
        before = {path: site.count(path) for path in ("/robots.txt", "/rsl.xml", "/a", "/b")}
        gather(*(site.url + path for path in paths), cache=Cache(tmp_path / "home" / "c", clock=lambda: clock[0]))
        return {path: site.count(path) - count for path, count in before.items() if site.count(path) > count}

    assert again("/a") == {"/robots.txt": 1, "/rsl.xml": 1, "/a": 1}
    assert again("/a", "/b") == {"/b": 1}, "only what is missing"
    clock[0] += KEPT + 1
    assert again("/a") == {"/robots.txt": 1, "/a": 1}, "robots.txt after a day, the licence when it says"
    clock[0] += 7 * 86_400
    assert "/rsl.xml" in again("/a")
    site.says("/robots.txt", b"", 500)
    clock[0] += KEPT + 1
    assert again("/a") == again("/a") | {"/robots.txt": 1}
    clock[0] += FAILED + 1
    assert again("/a") == {"/robots.txt": 1}, "what failed is tried again sooner"
    (tmp_path / "home" / "c").write_bytes(b"no database" * 500)
    with pytest.raises(InputError, match="can be removed"):
        again("/a")


def fetch(url: str, *, loopback: bool = True, seconds: float = 3, max_bytes: int = 1000) -> Any:
    async def once() -> Any:
        async with Strangers("test", loopback=loopback, seconds=seconds) as strangers:
            return await strangers.get(url, max_bytes=max_bytes)

    return asyncio.run(once())


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "2130706433",
        "0x7f.1",
        "10.0.0.1",
        "169.254.169.254",
        "[::ffff:127.0.0.1]",
        "0",
    ],
)
def test_addresses_that_are_not_public_are_never_connected_to(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("connected"))
    with pytest.raises(UnreachableError) as caught:
        fetch(f"http://{host}:9/", loopback=False)
    assert caught.value.details.get("refused") or "has no address" in caught.value.message


def test_a_name_that_is_public_once_and_private_once_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    places = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 80)) for each in ("93.184.215.14", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: places)
    with pytest.raises(UnreachableError, match="not on the public internet"):
        fetch("http://rebinding.example/", loopback=False)


def test_a_redirect_into_a_private_network_is_refused(sites: list[Site]) -> None:
    site, _ = sites
    for number, target in enumerate(
        ["http://10.0.0.1/", "http://169.254.169.254/latest/", "file:///etc/passwd", "//["]
    ):
        site.says(f"/{number}", b"", 302, Location=target)
        with pytest.raises((UnreachableError, InputError)):
            fetch(f"{site.url}/{number}")
    site.says("/round", b"", 307, Location="/round")
    with pytest.raises(UnreachableError, match=f"more than {MAX_REDIRECTS} redirects"):
        fetch(f"{site.url}/round")


def test_the_connection_goes_to_the_address_that_was_looked_at(
    sites: list[Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    site, _ = sites
    site.says("/", b"x")
    port = int(site.url.rpartition(":")[2])
    real, asked = socket.getaddrinfo, []

    def once(host: str, *given: Any, **named: Any) -> Any:
        asked.append(host)
        return real("127.0.0.1" if host == "art.example" else host, *given, **named)

    monkeypatch.setattr(socket, "getaddrinfo", once)
    assert fetch(f"http://art.example:{port}/").status == 200
    assert [each for each in asked if each == "art.example"] == ["art.example"], "the name is resolved once"
    assert site.asked == [("/", f"art.example:{port}")]


def test_answers_are_cut_and_bombs_too(sites: list[Site]) -> None:
    site, _ = sites
    site.says("/long", b"x" * 5000)
    site.says("/bomb", gzip.compress(bytes(20 << 20), 9), Content_Encoding="gzip")
    site.says("/br", b"x", Content_Encoding="br")
    for path in ("/long", "/bomb"):
        found = fetch(site.url + path)
        assert (len(found.body), found.whole) == (1000, False)
    with pytest.raises(UnreachableError, match="an answer in br"):
        fetch(site.url + "/br")
    site.says("/small", gzip.compress(b"User-agent: *"), Content_Encoding="gzip")
    site.says("/torn", b"\x1f\x8b" + bytes(30), Content_Encoding="gzip")
    assert fetch(site.url + "/small").body == b"User-agent: *"
    with pytest.raises(UnreachableError):
        fetch(site.url + "/torn")


def test_of_a_bomb_no_more_is_inflated_than_is_wanted(sites: list[Site]) -> None:
    site, _ = sites
    site.says("/bomb", gzip.compress(bytes(40 << 20), 9), Content_Encoding="gzip")  # 40 kB as it travels
    fetch(site.url + "/bomb")  # what is imported and kept meanwhile is no part of it
    tracemalloc.start()
    try:
        assert not fetch(site.url + "/bomb").whole
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 8 << 20


@pytest.fixture
def trickling() -> Iterator[tuple[str, list[bytes]]]:
    """A server that sends a byte every 50 ms, without end: of its head where it is asked for that, else of its body.

    Its address, and every request that it got.
    """
    server = socket.create_server(("127.0.0.1", 0))
    done, asked = threading.Event(), list[bytes]()

    def serve(connection: socket.socket) -> None:
        with connection:
            request = connection.recv(4096)
            asked.append(request)
            head = b"HTTP/1.1 200 OK\r\nX-Padding: " if b"/head" in request else b"HTTP/1.1 200 OK\r\n\r\n"
            try:
                connection.sendall(head)
                while not done.wait(0.05):
                    connection.sendall(b"a")
            except OSError:
                pass

    def accept() -> None:
        while not done.is_set():
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}", asked
    done.set()
    server.close()


def test_a_host_that_trickles_is_given_up_in_time(trickling: tuple[str, list[bytes]]) -> None:
    url, asked = trickling
    for path in ("/head", "/body"):
        with pytest.raises(UnreachableError, match=r"within 0\.5 seconds"):
            fetch(url + path, seconds=0.5)
    assert len(asked) == 2
    found = gather(*(f"{url}/{number}" for number in range(20)), seconds=0.5)
    assert len(asked) == 3, "one wait for the host, not one for each address"
    assert {verdict(each, "mine") for each in found} == {("review", "unreachable")}


def test_the_command_prints_a_table_or_json_and_its_code_can_fail(
    sites: list[Site], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    site, _ = sites
    site.says("/a", b"x", X_Robots_Tag="noai")
    sidecar = tmp_path / "a.xmp"
    sidecar.write_bytes(
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:p="http://ns.useplus.org/ldf/xmp/1.0/"><p:DataMining>'
        b"DMI-PROHIBITED</p:DataMining></x:xmpmeta>"
    )
    for name, value in {"LICET_HOME": str(tmp_path / "home"), "LICET_SIGNALS_LOOPBACK": "1", "COLUMNS": "200"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("licet.signals.gathering.PAUSE", 0)

    def licet(*given: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as caught:
            main(["signals", *given])
        out, err = capsys.readouterr()
        return int(caught.value.code or 0), out, err

    code, out, err = licet(f"{site.url}/a", str(sidecar))
    assert (code, err) == (0, "")
    assert f"deny     {site.url}/a  (denied, train-nongen)" in out
    assert "robots-meta" in out
    assert "plus:DataMining DMI-PROHIBITED" in out
    code, out, _ = licet(str(sidecar), f"{site.url}/a", "--json", "--use", "train-gen,search", "--fail-on", "deny")
    result, again = json.loads(out)["results"]
    assert (code, result["verdict"], result["reason"], again["verdict"]) == (1, "deny", "denied", "deny")
    assert (result["signals"][0]["binds"], again["signals"][0]["binds"]) == ("work", "copy")
    assert site.count("/a") == 1, "the second time it is known"
    for wrong, named in (("no/such", "input"), ("ftp://x", "input"), (f"{site.url}:x/", "url")):
        code, _, err = licet(wrong)
        assert (code, named in err) == (2, True), err


def test_a_host_is_asked_as_slowly_as_it_asks_for(sites: list[Site]) -> None:
    site, _ = sites
    site.says("/robots.txt", b"User-agent: *\nCrawl-delay: 0.3\nDisallow:\n")
    begun = time.monotonic()
    gather(f"{site.url}/a", f"{site.url}/b")
    assert len(site.asked) == 5
    assert time.monotonic() - begun >= 4 * 0.3


def test_a_host_that_asks_for_too_long_a_wait_is_not_asked_and_looked_at(sites: list[Site]) -> None:
    site, _ = sites
    site.says("/robots.txt", b"User-agent: *\nCrawl-delay: 3600\n")
    (found,) = gather(f"{site.url}/a")
    assert [path for path, _ in site.asked] == ["/robots.txt"]
    assert verdict(found, "train-gen") == ("review", "unreachable")
    assert any("3600 s between two requests" in (each.problem or "") for each in found.seen)
