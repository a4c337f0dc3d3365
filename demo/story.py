"""Two artists, a trainer, an auditor: each only does what the README tells them to."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from demo import dataset
from demo.stage import Person, Service, StoryError

BUILD = Path("build/demo")
TERMS = Path(__file__).parent / "terms"
PRICE = "0.05"
MODEL = "lantern/lantern@1"
USE = ("--use", "train-gen", "--purpose", "commercial")


class Report:
    """The figures of the story as they come up."""

    def __init__(self) -> None:
        self.facts: dict[str, Any] = {"works_registered": 0, "statements": []}
        self.elapsed: dict[str, float] = {}

    @contextmanager
    def step(self, name: str, title: str) -> Iterator[None]:
        """Announce a step and take its time."""
        print(f"\n{title}")
        started = time.monotonic()
        yield
        self.elapsed[name] = round(time.monotonic() - started, 2)

    def signed(self, registered: dict[str, Any]) -> None:
        """Count one call of ``licet register``."""
        self.facts["works_registered"] += len(registered["works"])
        self.facts["statements"].append({"id": registered["statement"], "log_index": registered["log_index"]})

    def write(self, total: float) -> Path:
        """Write the report and return its path."""
        path = BUILD / "report.json"
        self.facts["elapsed_s"] = {**self.elapsed}
        self.facts["story_s"] = round(total, 2)
        path.write_text(json.dumps(self.facts, indent=2, ensure_ascii=False) + "\n", "utf-8")
        return path


def play() -> None:
    """Play the whole story in a fresh ``build/demo``; raises ``StoryError`` where a command does not do its part."""
    shutil.rmtree(BUILD, ignore_errors=True)
    (BUILD / "homes").mkdir(parents=True)
    report = Report()
    service = Service(BUILD / "service", BUILD / "service.log")
    started = time.monotonic()
    with ExitStack() as stack:
        with report.step("start", "The registry starts, with a database of its own."):
            running = stack.enter_context(service.running())
            print(f"  It serves on {running.url} (its log is in {running.log}).")
        people = {name: Person(name, BUILD / "homes", running.url) for name in ("mei", "tomas", "lantern", "auditor")}
        _artists(report, running, people["mei"], people["tomas"])
        _trainer(report, people["lantern"])
        _money(report, people)
        _auditor(report, running, people["auditor"])
        _change_of_mind(report, people["tomas"], people["lantern"])
    path = report.write(time.monotonic() - started)
    print(f"\nThe story took {time.monotonic() - started:.1f} s. Every figure is in {path}.")


def _artists(report: Report, service: Service, mei: Person, tomas: Person) -> None:
    with report.step("register", "Two artists register their pictures."):
        mei.licet("account", "create", "--kind", "artist", "--name", "Mei Lin")
        hers = mei.licet(
            "register", *dataset.of("mei"), "--preset", "paid",
            "--price", PRICE, "--currency", "USD", "--price-model", "per-training-run",
        )  # fmt: skip
        report.signed(hers)
        print(f"  Mei Lin registers {len(hers['works'])} pictures: training only if paid for, {PRICE} USD a run each.")
        print(f"  One signature covers all of them: {hers['statement']}, entry {hers['log_index']} of the public log.")

        account = tomas.licet("account", "create", "--kind", "artist", "--name", "Tomás Reyes")
        service.office("attest", account["account"], "--level", "3", "--evidence", "identity shown to the operator")
        his = dataset.of("tomas")
        half = len(his) // 2
        shared = tomas.licet("register", *his[:half], "--terms", TERMS / "open.toml")
        kept = tomas.licet("register", *his[half:])
        report.signed(shared)
        report.signed(kept)
        print(f"  Tomás Reyes lets anybody train on {len(shared['works'])} pictures,")
        print(f"  and keeps AI away from {len(kept['works'])} (that is what you get without choosing anything).")


def _trainer(report: Report, lantern: Person) -> None:
    scraped = BUILD / "scraped"
    count = dataset.scrape(scraped)
    dataset.table(scraped, BUILD / "scraped.parquet")
    with report.step("filter", f"Lantern Labs has scraped {count} files and wants to train a generative model."):
        lantern.licet("account", "create", "--kind", "organisation", "--name", "Lantern Labs")
        newest = report.facts["statements"][-1]["log_index"]
        lantern.licet("snapshot", "pull", "--covering", str(newest))
        quote = lantern.licet("filter", scraped, "-o", BUILD / "dry-run", *USE)
        asked = ", ".join(f"{total['amount']} {total['currency']}" for total in quote["quote"]["totals"])
        print(f"  A dry run says what it would cost: {asked}.")
        filtered = lantern.licet(
            "filter", scraped, "-o", BUILD / "kept", *USE, "--unknown", "keep", "--accept",
            "--model", MODEL, "--dataset", "lantern-train", "--budget", "5USD",
        )  # fmt: skip
        counts = filtered["counts"]
        report.facts["dataset"] = {"rows": filtered["rows"], **counts, "kept": filtered["kept"]}
        report.facts["licence"] = filtered["licence"]
        print(f"  {counts['license']} rows need a licence, copies among them: {filtered['licence']} covers them all.")
        print(
            f"  {counts['allow']} are free to use, {counts['deny']} are denied, {counts['unknown']} are nobody's here"
        )
        print(f"  (Lantern Labs keeps these, at its own risk), {counts['review']} cannot be read or needs a look.")
        print(f"  Kept: {filtered['kept']} of {filtered['rows']}.")
        rows = lantern.licet(
            "filter", BUILD / "scraped.parquet", "-o", BUILD / "kept.parquet", *USE, "--unknown", "keep"
        )
        print(f"  The same list as a Parquet file: {rows['kept']} of {rows['rows']} rows kept under the licence held.")


def _money(report: Report, people: dict[str, Person]) -> None:
    with report.step("usage", "Lantern Labs trains a second time, and says so."):
        run = people["lantern"].licet(
            "run", "report", "--model", MODEL, "--dataset", BUILD / "kept.manifest.json", "--run", "2"
        )  # fmt: skip
        again = people["lantern"].licet(
            "run", "report", "--model", MODEL, "--dataset", BUILD / "kept.manifest.json", "--run", "2"
        )  # fmt: skip
        print(f"  {run['new']} uses are posted to the ledger. Reporting the same run again posts {again['new']}.")
        print("  What artists are owed is for both runs, less the registry's fee.")
        owed = []
        for name in ("mei", "tomas"):
            balance = people[name].licet("balance")
            for line in balance["lines"]:
                owed.append({"artist": balance["account"], "currency": line["currency"], "amount": line["amount"]})
                where = "in escrow until her claim is backed" if line["account"] == "escrow" else "payable"
                print(f"  {balance['name']} is owed {line['amount']} {line['currency']}, {where}.")
        report.facts["owed"] = owed


def _auditor(report: Report, service: Service, auditor: Person) -> None:
    with report.step("audit", "An auditor takes the books home and checks them without asking anybody."):
        invited = service.office("invite", "--role", "auditor", "--name", "Ada Okafor")
        auditor.environment["LICET_TOKEN"] = invited["token"]
        bundle = BUILD / "evidence.zip"
        period = time.strftime("%Y-%m", time.gmtime())
        pulled = auditor.licet("audit", "pull", "--period", period, "-o", bundle)
        del auditor.environment["LICET_TOKEN"]
        auditor.environment["LICET_URL"] = "http://127.0.0.1:9"  # nobody answers there: the check is offline
        verified = auditor.licet("audit", "verify", bundle)
        report.facts["audit"] = {"verified": verified["verified"], "checks": verified["checks"]}
        report.facts["log"] = {"size": verified["log"]["size"], "root": verified["log"]["root"]}
        print(f"  {pulled['members']} files of evidence, a log of {verified['log']['size']} entries,")
        print(f"  {len(verified['checks'])} checks passed: {', '.join(verified['checks'][:4])}, …")


def _change_of_mind(report: Report, tomas: Person, lantern: Person) -> None:
    with report.step("recheck", "Tomás changes his mind: no AI use any more, for any of his pictures."):
        changed = tomas.licet("terms", "set", "--all", "--preset", "no-ai")
        report.facts["statements"].append({"id": changed["statement"], "log_index": changed["log_index"]})
        lantern.licet("snapshot", "pull", "--covering", str(changed["log_index"]))
        found = lantern.licet("recheck", BUILD / "kept.decisions.parquet", expected=(1,))
        drop = found["drop"]
        if not drop:
            raise StoryError("expected recheck to name rows that must go, got none")
        report.facts["recheck"] = {"drop": len(drop)}
        print(f"  It {changed['effect']}s: in force at once. `licet recheck` names {len(drop)} files that must go,")
        print(f"  such as {drop[0]['path']} ({drop[0]['reason']}). What Mei was paid for stays.")
