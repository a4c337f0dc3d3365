"""Pictures of the portal for the README: ``python -m demo.screenshots`` plays them, and writes ``docs/screenshots``.

An artist opens an account with a passkey, adds the demo's pictures and signs; a team takes a licence and trains; an
auditor looks. What is drawn is what these three see.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Browser

from bench.chromium import Person as Visitor
from bench.chromium import chromium
from demo import dataset
from demo.stage import Person, Service

FOLDER: Final = Path("docs/screenshots")
LARGEST: Final = 1_000_000  # bytes of all of them
DESKTOP: Final = {"width": 1280, "height": 860}
PHONE: Final = {"width": 390, "height": 844}
USE: Final = ("--use", "train-gen", "--purpose", "commercial", "--model", "lantern/lantern@1")


def kept(visitor: Visitor, name: str) -> None:
    """Write what is on screen as a WEBP."""
    visitor.page.wait_for_load_state("networkidle")
    visitor.page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    png = visitor.page.screenshot(animations="disabled")
    Image.open(io.BytesIO(png)).save(FOLDER / f"{name}.webp", quality=78, method=6)


def registers(mei: Visitor) -> int:
    """Let the artist add her pictures and sign what they may be used for; return where the log has it."""
    page = mei.page
    mei.joins("Mei Lin")
    mei.opens("/add")
    mei.chooses("#picture", *dataset.of("mei"))
    mei.taps("[data-start]:visible")
    mei.taps("[data-sign] button:not(.plain)")
    page.wait_for_selector("#terms")
    page.check("#card-paid")
    page.select_option("#currency", "USD")
    page.fill("#amount", "0.05")
    page.wait_for_selector("#terms:not(.changed) [data-sign]")
    kept(mei, "terms")
    mei.signs()
    works = mei.context.request.get(f"{mei.url}/v1/works").json()["items"]
    return max(int(each["log_index"]) for each in works)


def trains(service: Service, covering: int, folder: Path) -> None:
    """Let a team license what it scraped, and train twice."""
    lantern = Person("lantern", folder, service.url)
    lantern.licet("account", "create", "--kind", "organisation", "--name", "Lantern Labs")
    lantern.licet("snapshot", "pull", "--covering", str(covering))
    dataset.scrape(folder / "scraped")
    taken = ("--unknown", "keep", "--accept", "--dataset", "lantern-train", "--budget", "5USD")
    lantern.licet("filter", folder / "scraped", "-o", folder / "kept", *USE, *taken)
    manifest = folder / "kept.manifest.json"
    lantern.licet("run", "report", "--model", "lantern/lantern@1", "--dataset", manifest, "--run", "2")


@contextmanager
def visitor(browser: Browser, url: str, language: str = "en", size: dict[str, int] = DESKTOP) -> Iterator[Visitor]:
    """Somebody with a browser of their own for the block."""
    found = Visitor(browser, url, language, viewport=size, device_scale_factor=1 if size is DESKTOP else 1.5)
    yield found
    found.context.close()


def drawn(service: Service, browser: Browser, folder: Path) -> None:
    """Write every picture."""
    url = f"http://localhost:{service.url.rpartition(':')[2]}"
    with visitor(browser, url) as mei, visitor(browser, url, "zh", PHONE) as phone:
        mei.opens("")
        kept(mei, "landing")
        covering = registers(mei)
        mei.opens("/account")
        account = mei.page.inner_text(".pairs code")
        service.office("attest", account, "--level", "2", "--evidence", "source files shown to the operator")
        trains(service, covering, folder)
        for name, path in (("home", "/home"), ("works", "/works"), ("earnings", "/earnings")):
            mei.opens(path)
            kept(mei, name)
        phone.context.add_cookies(mei.context.cookies())  # type: ignore[arg-type]  # what one context gives, another takes
        phone.opens("/works")
        kept(phone, "phone-zh")
    with visitor(browser, url) as auditor:
        link = service.office("invite", "--role", "auditor", "--name", "Ada Okafor")["link"]
        auditor.opens(f"/invited#{link.partition('#')[2]}")
        auditor.taps("[data-invited] button")
        auditor.page.wait_for_url("**/auditor")
        auditor.opens("/auditor/entries")
        auditor.page.locator("main .fold .money").first.click()
        auditor.page.wait_for_url("**/auditor/entries/tra_*")
        kept(auditor, "auditor")
        auditor.opens("/register/datasets")
        auditor.page.locator("main a[href*='/register/datasets/']").first.click()
        kept(auditor, "register")


def main() -> None:
    """Play it, and hold the pictures to their size."""
    folder = Path(tempfile.mkdtemp(prefix="licet-screenshots-"))
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        with Service(folder / "service", folder / "service.log").running() as service, chromium() as browser:
            drawn(service, browser, folder)
    finally:
        shutil.rmtree(folder)
    sizes = {path.name: path.stat().st_size for path in sorted(FOLDER.glob("*.webp"))}
    print("\n".join(f"{size:9,}  {name}" for name, size in sizes.items()))
    if sum(sizes.values()) > LARGEST:
        raise SystemExit(f"{sum(sizes.values()):,} bytes: expected at most {LARGEST:,}")


if __name__ == "__main__":
    main()
