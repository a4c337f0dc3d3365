"""The log checked by a real browser: what is right is said step by step, and every way to lie is found."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from playwright.sync_api import Browser, expect

from licet.canonical import to_base64
from licet.log import checkpoint as checkpoints
from licet.log import merkle, note
from licet.statements.keys import SigningKey
from tests.whole import lying
from tests.whole.browser import chromium
from tests.whole.lying import Liar
from tests.whole.stage import Service
from tests.whole.visiting import Visitor, visiting

FOREIGN = SigningKey.generate()
HELD = """([text]) => {
    const carried = new DataTransfer();
    carried.items.add(new File([text], 'held.json', {type: 'application/json'}));
    document.querySelector('[data-held]').dispatchEvent(
        new DragEvent('drop', {dataTransfer: carried, bubbles: true, cancelable: true}));
}"""
ANEW = "document.querySelector('[data-log]').dataset.state = 'busy'"
KEPT = "(origin) => JSON.parse(localStorage.getItem(`licet-log ${origin}`))"


class Come(NamedTuple):
    """What came of a check: as a whole, and each step by its state and its words."""

    state: str
    steps: list[tuple[str, str]]

    @property
    def last(self) -> tuple[str, str]:
        return self.steps[-1]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def work(browser: Browser, service: Service) -> tuple[str, str]:
    """A work with terms, and the statement that has them."""
    with visiting(browser, f"http://localhost:{service.port}", "en") as artist:
        artist.passkeys()
        artist.joins("Logged")
        (found,) = artist.registers("Kept in the log")
        artist.opens(f"/terms?work={found}")
        return found, artist.signs()


@pytest.fixture(params=("en", "zh"))
def visitor(request: pytest.FixtureRequest, browser: Browser, service: Service) -> Iterator[Visitor]:
    with visiting(browser, f"http://localhost:{service.port}", request.param) as found:
        yield found


@pytest.fixture
def reader(browser: Browser, service: Service) -> Iterator[Visitor]:
    with visiting(browser, f"http://localhost:{service.port}", "en") as found:
        yield found


@pytest.fixture
def liar(reader: Visitor, service: Service) -> Liar:
    return Liar(service, reader.page)


def come(visitor: Visitor) -> Come:
    """Return what came of the check on the page, once it is over."""
    place = visitor.page.locator("[data-log]")
    expect(place).to_have_attribute("data-state", re.compile("fine|partly|wrong|unreached"))
    lines = visitor.page.locator("[data-steps] li").all()
    return Come(
        place.get_attribute("data-state") or "",
        [(line.get_attribute("class") or "", line.inner_text()) for line in lines],
    )


def checked(visitor: Visitor, path: str = "/log") -> Come:
    assert visitor.opens(path) == 200
    return come(visitor)


def index_of(visitor: Visitor, work: str) -> str:
    visitor.opens(f"/work/{work}")
    found = visitor.page.locator("a[href*='/log/']").first.get_attribute("href") or ""
    return found.removeprefix(f"/{visitor.language}")


def kept(visitor: Visitor) -> dict[str, str]:
    origin = visitor.page.get_attribute("[data-log]", "data-origin")
    found: dict[str, str] = visitor.page.evaluate(KEPT, origin)
    return found


def size_of(what_was_kept: dict[str, str]) -> int:
    return checkpoints.parse(note.parse(what_was_kept["checkpoint"]).text).size


def grows(browser: Browser, service: Service, name: str) -> None:
    """Let the log have more entries than before."""
    with visiting(browser, f"http://localhost:{service.port}", "en") as artist:
        artist.passkeys()
        artist.joins(name)


def test_the_log_is_checked_on_every_visit_and_only_grows(
    visitor: Visitor, browser: Browser, service: Service, work: tuple[str, str]
) -> None:
    first = checked(visitor)
    assert (first.state, [state for state, _ in first.steps]) == ("fine", ["good", "good", "good", "open"])
    before = kept(visitor)
    grows(browser, service, f"Grown {visitor.language}")
    second = checked(visitor)
    assert (second.state, [state for state, _ in second.steps]) == ("fine", ["good"] * 4)
    assert visitor.page.locator("[data-result]").get_attribute("role") == "status"
    assert kept(visitor)["checkpoint"] != before["checkpoint"]
    # One entry, from the page of the work, down to the root.
    path = index_of(visitor, work[0])
    entry = checked(visitor, path)
    assert (entry.state, [state for state, _ in entry.steps]) == ("fine", ["good"] * 6)
    leaf = visitor.page.locator(".pairs code").last.inner_text()
    assert leaf in entry.steps[3][1]
    visitor.looks()
    visitor.page.evaluate(ANEW)
    visitor.page.click("[data-again]")
    assert come(visitor).state == "fine"
    for place in ("/log/0", "/log?entry=x", "/log?before=3"):
        assert checked(visitor, place).state == "fine"
        visitor.looks()


def another_leaf(liar: Liar) -> None:
    liar.alters("tile/entries/**", lambda bundle: bundle.translate(bytes.maketrans(b"0123456789", b"1032547698")))


def another_node(liar: Liar) -> None:
    liar.alters("tile/0/**", lambda tile: lying.flipped(tile, len(tile) - 1))


def own_leaf_is_another(liar: Liar) -> None:
    liar.alters("tile/0/**", lambda tile: lying.flipped(tile, 0))


def another_root(liar: Liar) -> None:
    stated = liar.checkpoint
    liar.says("checkpoint", liar.signs(stated.size, lying.flipped(stated.root, 3)))


def with_line(text: bytes, line: int, alter: Callable[[str], str]) -> bytes:
    """Return a checkpoint with one line of it altered, whichever it is: the log grows meanwhile."""
    lines = text.decode().split("\n")
    lines[line] = alter(lines[line])
    return "\n".join(lines).encode()


def with_another_root(text: bytes) -> bytes:
    return with_line(text, 2, lambda root: to_base64(lying.flipped(b64decode(root), 3)))


def another_root_unsigned(liar: Liar) -> None:
    liar.alters("checkpoint", with_another_root)


def another_size_unsigned(liar: Liar) -> None:
    liar.alters("checkpoint", lambda text: with_line(text, 1, lambda size: str(int(size) - 1)))


def altered_signature(liar: Liar) -> None:
    liar.alters("checkpoint", lambda text: lying.resigned(text.decode(), 20).encode())


def altered_key_id(liar: Liar) -> None:
    liar.alters("checkpoint", lambda text: lying.resigned(text.decode(), 0).encode())


def foreign_key(liar: Liar) -> None:
    stated = liar.checkpoint
    liar.says("checkpoint", liar.signs(stated.size, stated.root, FOREIGN))


def foreign_key_under_our_id(liar: Liar) -> None:
    stated = liar.checkpoint
    (own, *_) = note.parse(liar.fetched("checkpoint")).signatures
    liar.says("checkpoint", liar.signs(stated.size, stated.root, FOREIGN, as_id=own.key_id))


def foreign_key_named_by_a_foreign_root(liar: Liar) -> None:
    foreign_key(liar)
    liar.says("keys", liar.keys(FOREIGN, FOREIGN))


def foreign_key_named_in_the_roots_name(liar: Liar) -> None:
    foreign_key(liar)
    listed = liar.keys(FOREIGN, FOREIGN).decode()
    liar.says("keys", listed.replace(FOREIGN.keyid, liar.key("root").keyid))


def ended_key(liar: Liar) -> None:
    liar.says("keys", liar.ended(1))


def other_log(liar: Liar) -> None:
    stated = liar.checkpoint
    liar.alters("checkpoint", lambda text: text.replace(stated.origin.encode(), b"other.example/log"))


def shorter_than_the_entry(liar: Liar) -> None:
    leaves = [merkle.leaf_hash(each) for each in liar.contents[:1]]
    liar.says("checkpoint", liar.signs(1, merkle.root(leaves)))


def short_tile(liar: Liar) -> None:
    liar.alters("tile/0/**", lambda tile: tile[:-32])


def no_note(liar: Liar) -> None:
    liar.says("checkpoint", "<h1>Bad gateway</h1>")


LIES: dict[Callable[[Liar], None], str] = {
    another_leaf: "entry",
    another_node: "path",
    own_leaf_is_another: "path",
    another_root: "path",
    another_root_unsigned: "signature",
    another_size_unsigned: "signature",
    altered_signature: "signature",
    altered_key_id: "unsigned",
    foreign_key: "unsigned",
    foreign_key_under_our_id: "signature",
    foreign_key_named_by_a_foreign_root: "keys",
    foreign_key_named_in_the_roots_name: "keys",
    ended_key: "unsigned",
    other_log: "origin",
    shorter_than_the_entry: "beyond",
    short_tile: "tile",
    no_note: "malformed",
}


def begins(visitor: Visitor, name: str) -> str:
    """How the sentence ``name`` of the page begins, up to its first value."""
    said: str = visitor.page.evaluate(
        "name => document.querySelector(`template[data-say=${name}]`).content.textContent", name
    )
    return said.partition("{")[0]


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_a_lie_about_an_entry_is_found(reader: Visitor, liar: Liar, lie: Callable[[Liar], None]) -> None:
    index = liar.checkpoint.size - 2
    # Another neighbour's hash matters to this entry; its own is in the tile, and its proof does not use it.
    index -= index % 2 if lie is another_node else 0
    path = "/log/1" if lie in (own_leaf_is_another, shorter_than_the_entry) else f"/log/{index}"
    lie(liar)
    found = checked(reader, path)
    state, words = found.last
    assert (found.state, state) == ("wrong", "bad"), found
    assert begins(reader, f"bad_{LIES[lie]}") in words
    assert reader.page.evaluate("localStorage.length") == 0  # nothing of it is kept
    liar.honest()
    assert checked(reader, path).state == "fine"


def test_a_whole_page_of_another_entry_does_not_fit_the_signed_root(reader: Visitor, liar: Liar) -> None:
    honest = liar.contents
    index = len(honest) - 1
    forged = lying.other_entry(honest[index])
    liar.alters("tile/entries/**", lambda bundle: bundle.replace(honest[index], forged))
    reader.page.route(
        f"**/en/log/{index}",
        lambda route: route.fulfill(
            response=(answer := route.fetch()),
            body=answer.text().replace(to_base64(honest[index]), to_base64(forged)),
        ),
    )
    found = checked(reader, f"/log/{index}")
    assert found.state == "wrong"
    assert begins(reader, "bad_path") in found.last[1]


def test_a_log_that_contradicts_what_was_kept_is_told_and_both_are_shown(
    reader: Visitor, liar: Liar, browser: Browser, service: Service
) -> None:
    older = liar.fetched("checkpoint").decode()
    grows(browser, service, "Later")
    assert checked(reader).state == "fine"
    before = kept(reader)
    honest = liar.up_to(size_of(before))
    forged = [lying.other_entry(honest[0]), *honest[1:]]

    def told(name: str) -> None:
        found = checked(reader)
        assert found.state == "wrong"
        assert begins(reader, f"bad_{name}").partition("：")[0] in found.last[1]
        assert kept(reader)["checkpoint"] == before["checkpoint"]  # what was seen first stays
        liar.honest()

    liar.says("checkpoint", older)
    told("shrank")
    shown = reader.page.inner_text("[data-evidence] pre")
    assert before["checkpoint"].strip() in shown
    assert older.strip() in shown
    reader.looks()
    liar.publishes(forged)
    told("forked")
    liar.publishes([*forged, honest[-1]])
    told("regrown")
    # An honest log that only grew is none.
    grows(browser, service, "Later still")
    assert checked(reader).state == "fine"
    # Nor does another root key pass, whatever it has signed.
    root = service_root(reader)
    reader.page.route(
        "**/en/log",
        lambda route: route.fulfill(
            response=(answer := route.fetch()), body=answer.text().replace(root, FOREIGN.public.hex())
        ),
    )
    liar.says("keys", liar.keys(FOREIGN, FOREIGN))
    foreign_key(liar)
    before = kept(reader)
    found = checked(reader)
    assert found.state == "wrong"
    assert begins(reader, "bad_root") in found.last[1]


def dropped(reader: Visitor, text: str) -> Come:
    """Return what comes of a file that is dropped on the page that checks files."""
    reader.opens("/verify")
    reader.page.evaluate(ANEW)
    reader.page.evaluate(HELD, [text])
    return come(reader)


def test_a_forged_log_is_not_let_in_by_the_check_of_a_file(
    reader: Visitor, liar: Liar, browser: Browser, service: Service
) -> None:
    grows(browser, service, "Kept for a file")
    assert checked(reader).state == "fine"
    before = kept(reader)
    honest = liar.up_to(size_of(before))
    checkpoint = liar.fetched("checkpoint").decode()
    forged = [lying.other_entry(honest[0]), *honest[1:]][:-1]
    liar.publishes(forged)
    own = liar.signs(len(forged), merkle.root([merkle.leaf_hash(each) for each in forged]))
    found = dropped(reader, own)
    assert found.state == "wrong"
    assert begins(reader, "bad_shrank").partition("：")[0] in found.last[1]
    assert kept(reader)["checkpoint"] == before["checkpoint"]
    # Whoever holds a checkpoint of the log that was left sees both.
    found = dropped(reader, checkpoint)
    assert found.state == "wrong"
    shown = reader.page.inner_text("[data-evidence] pre")
    assert checkpoint.strip() in shown
    assert own.strip() in shown


def test_what_a_receipt_is_for_is_read_from_the_entry(reader: Visitor, liar: Liar) -> None:
    stated = liar.fetched("checkpoint").decode()
    contents = liar.up_to(checkpoints.parse(note.parse(stated).text).size)
    leaves = [merkle.leaf_hash(each) for each in contents]
    hashes = [to_base64(each) for each in merkle.inclusion_proof(leaves, len(contents) - 1)]
    lines = ["c2sp.org/tlog-proof@v1", f"index {len(contents) - 1}", *hashes, "", stated]
    receipt = {"entry": to_base64(contents[-1]), "proof": "\n".join(lines)}
    assert dropped(reader, json.dumps(receipt)).state == "fine"
    found = dropped(reader, json.dumps(receipt | {"kind": "period-close"}))
    assert (found.state, len(found.steps)) == ("wrong", 1)
    assert begins(reader, "bad_commits") in found.last[1]


def service_root(visitor: Visitor) -> str:
    return visitor.page.get_attribute("[data-log]", "data-root") or ""


def test_what_cannot_be_reached_is_no_lie(reader: Visitor) -> None:
    for path in ("checkpoint", "keys", "tile/**"):
        reader.page.route(f"**/log/{path}", lambda route: route.fulfill(status=503, body=""))
        found = checked(reader, "/log/1")
        assert (found.state, found.last[0]) == ("unreached", "open")
        reader.page.unroute_all()


def test_a_browser_without_ed25519_says_what_it_did_not_check(visitor: Visitor, service: Service) -> None:
    visitor.page.add_init_script("""
        const known = crypto.subtle.importKey.bind(crypto.subtle);
        crypto.subtle.importKey = (form, key, algorithm, ...rest) => algorithm.name === 'Ed25519'
            ? Promise.reject(new DOMException('Unrecognized name.', 'NotSupportedError'))
            : known(form, key, algorithm, ...rest);
    """)
    found = checked(visitor, "/log/1")
    assert (found.state, [state for state, _ in found.steps]) == (
        "partly",
        ["good", "open", "open", "good", "good", "open"],
    )
    assert "Ed25519" in visitor.page.inner_text("[data-result]")
    visitor.looks()
    liar = Liar(service, visitor.page)
    another_node(liar)
    assert checked(visitor, "/log/0").state == "wrong"  # trees are checked all the same


def test_what_a_browser_could_not_check_is_not_kept_and_accuses_nobody(reader: Visitor, liar: Liar) -> None:
    reader.page.add_init_script("""
        const known = SubtleCrypto.prototype.importKey;
        SubtleCrypto.prototype.importKey = function (form, key, algorithm, ...rest) {
            return algorithm.name === 'Ed25519' && !localStorage.getItem('newer')
                ? Promise.reject(new DOMException('Unrecognized name.', 'NotSupportedError'))
                : known.call(this, form, key, algorithm, ...rest);
        };
    """)
    liar.alters("checkpoint", with_another_root)
    assert checked(reader).state == "partly"
    assert not kept(reader)
    liar.honest()
    reader.page.evaluate("localStorage.setItem('newer', '1')")
    assert checked(reader).state == "fine"
    # Nor is the log accused of what the browser kept, where it cannot tell who signed the other.
    reader.page.evaluate("localStorage.removeItem('newer')")
    liar.alters("checkpoint", with_another_root)
    found = checked(reader)
    assert found.state == "wrong"
    assert begins(reader, "bad_unsure") in found.last[1]
    assert not reader.page.is_visible("[data-evidence]")


def test_what_somebody_holds_is_checked_against_the_log(
    visitor: Visitor, service: Service, work: tuple[str, str], tmp_path: Path, browser: Browser
) -> None:
    page, number = visitor.page, work[1]
    assert visitor.opens("/verify") == 200
    file = json.loads(httpx.get(f"{service.url}/v1/statements/{number}").content)
    grows(browser, service, f"Held {visitor.language}")

    def held(content: str | dict[str, object]) -> Come:
        page.set_input_files("#file", [])
        page.evaluate(ANEW)
        page.set_input_files("#file", lying.saved(tmp_path, "held.json", content))
        return come(visitor)

    found = held(file)
    assert found.state == "fine", found
    assert [state for state, _ in found.steps] == [*["good"] * 4, *["good"] * 6, "open"]
    # The check code of the receipt is computed, no line says what another said, and what was left out is not "right".
    assert hashlib.sha256(b64decode(file["envelope"]["payload"])).hexdigest() in found.steps[4][1]
    assert len({words for _, words in found.steps}) == len(found.steps)
    told = page.inner_text("[data-result]")
    assert ("Who signed it was not checked" if visitor.language == "en" else "是谁签的，这里没有核对") in told
    visitor.looks()
    receipt = {name: file[name] for name in ("entry", "salt", "proof")} | {"kind": "consent", "id": number}
    assert held(receipt).state == "fine"
    assert page.inner_text("[data-result]") not in (told, "")
    assert held(file["proof"]).state == "fine"
    checkpoint = file["proof"].partition("\n\n")[2]
    assert held(checkpoint).state == "fine"
    page.evaluate(ANEW)
    page.evaluate(HELD, [json.dumps(file)])
    assert come(visitor).state == "fine"
    page.fill("#said", checkpoint.replace("\n", "\r\n"))
    page.evaluate(ANEW)
    page.click("[data-held] button")
    assert come(visitor).state == "fine"

    payload = file["envelope"]["payload"]
    changed = {**file["envelope"], "payload": ("A" if payload[0] != "A" else "B") + payload[1:]}
    signatures = [{**each, "sig": file["salt"]} for each in file["envelope"]["signatures"]]
    entry = to_base64(lying.other_entry(b64decode(file["entry"])))
    wrong: list[tuple[str | dict[str, object], str]] = [
        ({**file, "envelope": changed}, "commits"),
        ({**file, "envelope": {**file["envelope"], "signatures": signatures}}, "commits"),
        ({**file, "salt": to_base64(bytes(32))}, "commits"),
        ({**file, "entry": entry}, "commits"),
        ({**receipt, "entry": entry}, "path"),
        (lying.with_hash(file, 0), "path"),
        ({**file, "proof": file["proof"].replace("index ", "index 1", 1)}, "malformed"),
        ({**file, "proof": file["proof"].replace("localhost/licet", "other.example/log")}, "origin"),
        (lying.resigned(checkpoint, 9), "signature"),
        ({"anything": "else"}, "unread"),
        ("no such thing", "unread"),
        ("{", "unread"),
    ]
    for content, name in wrong:
        found = held(content)
        assert found.state == "wrong", name
        assert begins(visitor, f"bad_{name}") in found.last[1], (name, found)
    visitor.looks()


def test_without_scripts_the_pages_say_how_to_check(browser: Browser, service: Service) -> None:
    with visiting(browser, f"http://localhost:{service.port}", "zh", java_script_enabled=False) as reader:
        for path in ("/log", "/log/0", "/verify"):
            assert reader.opens(path) == 200
            assert reader.page.locator("[data-log] a[href='/zh/verify']").is_visible()
        assert reader.page.locator("[data-held] button").is_disabled()
