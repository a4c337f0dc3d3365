"""A domain is claimed, proven and given up at the command line (semantics 4)."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.registry.claims.internet import Internet
from tests.whole.conftest import People
from tests.whole.stage import Person


@pytest.fixture
def mei(person: People) -> Person:
    """An artist with an account of her own."""
    return person("claims").joins("artist", "Mei Lin")


def wait_for_snapshot(mei: Person, *urls: str) -> list[dict[str, Any]]:
    """Return what is said of ``urls`` once a snapshot says anything of the first."""
    for _ in range(60):
        found: list[dict[str, Any]] = mei.does("check", *urls, "--use", "train-gen")["results"]
        if found[0]["verdict"] != "unknown":
            break
        time.sleep(0.5)
    return found


def test_a_domain_is_claimed_put_up_found_and_given_up(mei: Person, net: Internet) -> None:
    told = mei.types("claim", "domain", "Ada.Example")
    assert told.code == 0, told
    claim = mei.does("claim", "domain", "ada.example")
    value = claim["value"]
    for line in ("name   _licet.ada.example", f"value  {value}", "at     https://ada.example/.well-known/licet.txt"):
        assert line in told.out
    early = mei.types("claim", "check", "ada.example")
    assert early.code == 1
    assert "ada.example is not proven: there is no TXT record _licet.ada.example;" in early.out
    assert "Your claim level is 0 of 4 (self-declared: what you say yourself)." in early.out
    net.put_record("ada.example", value)
    found = mei.types("claim", "check")
    assert found.code == 0, found
    assert "ada.example is proven by _licet.ada.example, entry " in found.out
    assert "Your claim level is 2 of 4 (verified: a domain of yours, or two public profiles)." in found.out
    (listed,) = mei.does("claims")["claims"]
    assert (listed["domain"], listed["state"], listed["value"]) == ("ada.example", "proven", value)
    assert mei.does("account", "show")["level"] == 2
    mei.does("statement", "fetch", listed["statement"], "-o", "claim.licet")
    verified = mei.does("statement", "verify", "claim.licet", LICET_URL="http://127.0.0.1:9")
    assert verified["verified"] is True
    refused = mei.types("register", "--site", "eve.example")
    assert refused.code == 2, refused
    assert "site: expected a site of a domain that the account has proven" in refused.out
    told = mei.types("register", "--site", "https://Ada.Example/gallery/", "--preset", "no-ai")
    assert told.code == 0, told
    assert "1 work registered under stm_" in told.out
    again = mei.does("register", "--site", "ada.example/gallery")
    assert (again["works"], [each["path"] for each in again["duplicates"]]) == ([], ["ada.example/gallery"])
    (work,) = mei.does("works", "list")["works"]
    assert (work["site"], work["site_proven"]) == ("ada.example/gallery", True)
    assert "site      ada.example/gallery, with all below it\n" in mei.types("works", "show", work["work"]).out
    below, beside = "http://www.ada.example/gallery/x.png", "http://ada.example/gallery2/x.png"
    said = wait_for_snapshot(mei, below, beside)
    assert [(each["verdict"], each["reason"]) for each in said] == [("deny", "denied"), ("unknown", "not-examined")]
    assert said[0]["matches"][0]["key"] == "site"
    assert mei.does("claim", "drop", "ada.example")["level"] == 0
    shown = mei.types("works", "show", work["work"]).out
    assert "site      ada.example/gallery, with all below it: without effect while you have not proven" in shown
    assert mei.types("claims").out == "You claim no domain.\n"
    assert mei.does("claim", "check", "ada.example", code=2)["error"]["message"].startswith("you do not claim ada")
    refused = mei.does("claim", "domain", "co.uk", code=2)["error"]["message"]
    assert "domain: expected a domain below a public suffix" in refused
