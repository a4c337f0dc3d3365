"""Pages of the portal for an account of 10,000 works: how long one takes to make, what it weighs, when it is seen.

Made: over HTTP, one after the other, by the clock and in seconds of processors, beside a bare Litestar page of the
same bytes. Weighed: what a browser without anything fetches. Seen: the first contentful paint in Chromium on a line of
400 kbit/s with 400 ms of delay. Counted: what a person does until the first picture is signed for, and until all are
denied. ``python -m bench portal [ROUNDS]``.
"""

from __future__ import annotations

import json
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import httpx
from playwright.sync_api import Browser

from bench.chromium import Person, chromium
from bench.measuring import BUILD, Figure, numbers_given, record
from bench.portal_filled import WORKS, Filled, filled
from bench.service import processor_seconds, running

ROUNDS: Final = numbers_given(50)[0]
LOADS: Final = 3
KBITS: Final = 400
DELAY: Final = 400  # milliseconds
PUBLIC: Final = ("", "/check", "/join", "/sign-in", "/register", "/register/datasets", "/work/{work}")
LOG: Final = ("/about", "/log", "/log/0", "/verify")
ARTIST: Final = (
    *("/home", "/works", "/works?q=red", "/works?q=nowhere", "/works?state=pending", "/works?sort=title"),
    *("/works/{work}", "/works/{work}/evidence", "/add", "/trace", "/terms?work={work}", "/terms?scope=all"),
    *("/earnings", "/earnings/uses", "/earnings/statements", "/earnings/payments"),
    *("/earnings/entries", "/earnings/charges/{charge}", "/licences", "/licences/{licence}", "/requests"),
    *("/statements", "/statements/{statement}", "/level", "/site", "/account", "/account/keys"),
    *("/alerts", "/alerts?topic=terms", "/disputes", "/disputes/{dispute}", "/disputes/new?about={work}"),
)
TEAM: Final = tuple(
    f"/organisation{each}"
    for each in (
        *("", "/datasets", "/models", "/runs", "/snapshot", "/licences", "/licences/{licence}", "/requests"),
        *("/requests/new?work={work}", "/duties", "/invoices", "/charges", "/charges?licence={licence}"),
        *("/entries", "/members", "/tokens", "/keys", "/start"),
    )
)
AUDITOR: Final = (
    *("/auditor", "/auditor/entries", "/auditor/entries?account={account}", "/auditor/entries?period={month}"),
    *("/auditor/entries/{charge}", "/auditor/duties"),
)
OPERATOR: Final = (
    *("/operator", "/operator/disputes", "/operator/disputes/{dispute}", "/operator/staff", "/operator/keys"),
)
#: What a form sends while terms are chosen for all works; it is answered by the page with another preview.
CHOSEN: Final = "/terms?scope=all"
SEEN: Final = {"": None, "/check": None, "/home": "artist", "/terms?scope=all": "artist"}
_BARE: Final = """
import gzip, sys
from litestar import Litestar, Response, get
PAGE = open(sys.argv[1], "rb").read()
@get("/", media_type="text/html", sync_to_thread=False)
def page() -> Response[bytes]:
    return Response(gzip.compress(PAGE, 6, mtime=0), media_type="text/html", headers={"Content-Encoding": "gzip"})
from granian.server.embed import Server
import asyncio
asyncio.run(Server(Litestar([page]), address="127.0.0.1", port=int(sys.argv[2]), interface="asgi").serve())
"""


class Made(NamedTuple):
    """Milliseconds by the clock of each request, and of processors for one: the service's and the database's."""

    clock: list[float]
    service: float
    database: float

    def told(self) -> dict[str, float]:
        """Return the figures of a table."""
        ranked = sorted(self.clock)
        return {
            "p50": round(statistics.median(ranked), 1),
            "p99": round(ranked[-1 - len(ranked) // 100], 1),
            "least": round(ranked[0], 1),
            "service": round(self.service, 1),
            "database": round(self.database, 1),
        }


def made(http: httpx.Client, path: str, pid: int, form: dict[str, Any] | None = None) -> Made:
    """Ask for a page ``ROUNDS`` times, after a few that are not counted; with ``form`` as the answer to it."""
    request = http.build_request("GET" if form is None else "POST", path, data=form)
    for _ in range(5):
        assert http.send(request).status_code == 200, path
    before, clock = processor_seconds(pid), []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        http.send(request)
        clock.append(1000 * (time.perf_counter() - started))
    after = processor_seconds(pid)
    each = {name: 1000 * (after[name] - before[name]) / ROUNDS for name in after}
    return Made(clock, each["service"], each["database"])


@contextmanager
def bare(page: bytes) -> Iterator[tuple[str, int]]:
    """Serve ``page`` with nothing behind it; yields its address and process."""
    (BUILD / "portal" / "bare.html").write_bytes(page)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", _BARE, str(BUILD / "portal" / "bare.html"), str(port)])
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait(30)


def loaded(browser: Browser, who: Person, address: str, *, slow: bool) -> dict[str, Any]:
    """Return what a browser without anything but ``who``'s session fetches at ``address``, and when it paints."""
    context = browser.new_context(locale="en-GB", viewport={"width": 390, "height": 844}, device_scale_factor=2)
    context.add_cookies(who.context.cookies())  # type: ignore[arg-type]  # what one context gives, another takes
    page = context.new_page()
    cdp = context.new_cdp_session(page)
    urls: dict[str, str] = {}
    sizes: dict[str, int] = {}
    cdp.on("Network.responseReceived", lambda said: urls.update({said["requestId"]: said["response"]["url"]}))
    cdp.on("Network.loadingFinished", lambda said: sizes.update({said["requestId"]: int(said["encodedDataLength"])}))
    cdp.send("Network.enable")
    if slow:
        line = {"offline": False, "latency": DELAY, "downloadThroughput": KBITS * 125, "uploadThroughput": KBITS * 125}
        cdp.send("Network.emulateNetworkConditions", line)
    page.goto(address, wait_until="networkidle")
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint').map(each => each.startTime)")
    context.close()
    ours = {urls[each]: size for each, size in sizes.items() if each in urls and "/thumbnail" not in urls[each]}
    return {
        "bytes": sum(ours.values()),
        "scripts": sum(size for url, size in ours.items() if url.endswith(".js")),
        "paint": round(paint[0]) if paint else None,
    }


def choosing(person: Person) -> dict[str, Any]:
    """Return the form of terms for all works, with another card chosen than those that are in force."""
    person.opens(CHOSEN)
    fields = person.page.eval_on_selector("#terms", "form => [...new FormData(form)]")
    form: dict[str, Any] = {}
    for name, value in fields:
        form.setdefault(name, []).append(value)
    return {**form, "card": ["research"]}


def tightened(people: Filled, pid: int) -> dict[str, Any]:
    """Deny everything from home; return what that took, the signature also in seconds of processors."""
    artist = people.artist
    artist.opens("/home")
    artist.did.clear()
    started = time.perf_counter()
    artist.taps(".stop .btn")
    artist.page.wait_for_selector("[data-sign]")
    shown = time.perf_counter() - started
    before = processor_seconds(pid)
    artist.signs()
    took = {"seconds": round(time.perf_counter() - started, 1), "shown": round(shown, 1)}
    after = processor_seconds(pid)
    return {"did": list(artist.did), **took, **{name: round(after[name] - before[name], 2) for name in after}}


def main() -> None:
    """Measure."""
    quotas = "off"
    with running(BUILD / "portal", quota_requests=quotas, quota_anonymous=quotas) as service, chromium() as browser:
        url = f"http://localhost:{service.url.rpartition(':')[2]}"
        people = filled(service, browser, url)
        pages: dict[str, dict[str, Any]] = {}
        rooms = (people.artist, ARTIST), (people.team, TEAM), (people.auditor, AUDITOR), (people.operator, OPERATOR)
        for who, paths in (*rooms, (None, (*PUBLIC, *LOG))):
            cookies = "" if who is None else "; ".join(f"{name}={value}" for name, value in who.cookies().items())
            headers = {"Accept": "text/html", "Accept-Encoding": "gzip", "Cookie": cookies}
            headers |= {"Origin": url, "Sec-Fetch-Site": "same-origin"}
            with httpx.Client(base_url=f"{url}/en", headers=headers, timeout=60) as http:
                for path in paths:
                    pages[path] = made(http, people.at(path), service.pid).told()
                    pages[path] |= loaded(
                        browser, who or Person(browser, url), f"{url}/en{people.at(path)}", slow=False
                    )
                    print(f"  {path or '/':36} {json.dumps(pages[path])}", flush=True)
                if who is people.artist:
                    plain = http.get("/works").content
                    pages["preview"] = made(http, "/terms", service.pid, choosing(people.artist)).told()
                    print(f"  {'another card for ' + CHOSEN:36} {json.dumps(pages['preview'])}", flush=True)
        with bare(plain) as (address, pid), httpx.Client(base_url=address, headers={"Accept-Encoding": "gzip"}) as http:
            peer = made(http, "/", pid)
            pages["bare Litestar, the bytes of /works"] = peer.told()
            print("  bare", json.dumps(peer.told()))
        for path, name in SEEN.items():
            who = people.artist if name else Person(browser, url)
            for language in ("en", "zh"):
                loads = [loaded(browser, who, f"{url}/{language}{path}", slow=True)["paint"] for _ in range(LOADS)]
                pages[path][f"paint {language}"] = {"median": statistics.median(loads), "least": min(loads)}
                print(f"  {path or '/':36} {language} {sorted(loads)} ms", flush=True)
        stopped = tightened(people, service.pid)
        print(f"  {people.did}\n  {stopped}")
    home = pages["/home"]
    figures = {
        "/home": Figure([home["p50"] / 1000], 1),
        "/works": Figure([pages["/works"]["p50"] / 1000], 1),
        "bare Litestar page": Figure([each / 1000 for each in peer.clock], 1),
    }
    record("portal", "pages", figures, works=WORKS, pages=pages, first_work=people.did, tightened=stopped)


if __name__ == "__main__":
    main()
